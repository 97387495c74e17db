"""`pieced verify` on a real database: what was issued is what the facts make it, and one changed byte is found."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from pieced_billing.errors import Unavailable
from pieced_billing.invoicing.corrections import correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.store.connections import Connection, connect
from pieced_billing.verification.certificate import Certificate
from pieced_billing.verification.documents import load_documents
from pieced_billing.verification.in_processes import PART_ORGS, verify_in_processes
from pieced_billing.verification.verified import Verified
from pieced_billing.verification.verify import verify
from tests.books import APRIL, add_customers, add_many_customers, add_tenant, run_invoices, set_prices
from tests.chained import SEAL_KEY, private_key_file
from tests.commands import clean_environment, run_pieced
from tests.databases import Database
from tests.latecomers import MAY, ORG, TENANT, enable, use
from tests.locks import await_blocked
from tests.processes import await_none_left, processes_with

JUNE = MAY.next


def history(connection: Connection) -> None:
    """Three months with late facts, credit notes in part and in full, a correction, and a price of later."""
    add_customers(connection, 2)
    use(connection, "10", "2026-03-05T10:00:00Z")
    use(connection, "0.0000001", "2026-03-05T11:00:00Z")
    add_tenant(connection, ORG, "second", "2026-03-10T00:00:00Z", {"search": "2026-03-12T00:00:00Z"})
    march = run_invoices(connection).numbers[0]
    enable(connection, "enabled", "2026-03-30T10:00:00Z", 2)
    use(connection, "2.50", "2026-03-06T11:00:00Z")
    credit_invoice(connection, march, Wanted([1], Decimal("9.00")), "goodwill")
    april = run_invoices(connection, APRIL).numbers[0]
    use(connection, "-1", "2026-04-06T11:00:00Z", corrects="2026-03-06T11:00:00Z 2.50")
    set_prices(connection, {"platform": [{"from": "2026-05-10", "tenant_monthly_fee_chf": "62.00"}]})
    run_invoices(connection, MAY)
    enable(connection, "disabled", "2026-04-20T10:00:00Z", 3)
    correct_invoice(connection, march, "wrong")
    correct_invoice(connection, april, "wrong")
    use(connection, "7", "2026-03-31T11:00:00Z")
    run_invoices(connection, JUNE)


def verified(database: Database, number: str | None = None) -> Verified:
    with connect(database.url) as connection:
        return verify(connection, number)


@pytest.mark.both_servers
def test_what_was_issued_is_made_again_whatever_came_since(connection: Connection, database: Database) -> None:
    history(connection)
    done = verified(database)
    assert done.differences == []
    (count,) = connection.execute("SELECT count(*) FROM invoices").fetchone() or (0,)
    assert (done.documents, done.unproved, done.found, count) == (count, 0, 0, 13)
    adjusted = connection.execute("SELECT DISTINCT adjusts FROM invoice_lines WHERE adjusts IS NOT NULL").fetchall()
    assert {charge for (charge,) in adjusted} == {"llm_spend", "package_days", "package_setup_fee"}


def test_documents_from_before_proofs_were_kept_are_made_again_and_said_to_hold_none(
    connection: Connection, database: Database
) -> None:
    history(connection)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE invoices DROP CONSTRAINT invoices_proof, DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE invoice_lines DISABLE TRIGGER USER")
        owner.execute("UPDATE invoices SET stands_on = NULL, output_hash = NULL")
        owner.execute("UPDATE invoice_lines SET read_to = NULL")
    done = verified(database)
    assert (done.differences, done.unproved, done.documents) == ([], 13, 13)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE invoice_lines SET amount = amount + 1 WHERE (invoice_id, position) = (1, 1)")
    assert [one[1:] for one in verified(database).differences] == [(1, "amount", "100.00", "99.00")]


def test_one_document_is_verified_with_what_it_stands_on(connection: Connection, database: Database) -> None:
    add_customers(connection, 2)
    first, second = run_invoices(connection).numbers
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE tenant_lifecycle_events DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE tenant_lifecycle_events SET occurred_at = '2026-03-17T00:00:00+01:00' WHERE tenant_uid = %s",
            [TENANT],
        )
    assert verified(database, second).found == 0
    found = verified(database, first)
    assert {one.number for one in found.differences} == {first, ""}
    assert (2, "amount", "31.00", "15.00") in {one[1:] for one in found.differences}
    assert any("tenant_lifecycle_events" in one.what for one in found.differences)
    with pytest.raises(UnknownInvoice):
        verified(database, "INV-1")


def test_the_command_ends_with_1_where_something_differs(connection: Connection, database: Database) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    good = run_pieced("verify", "--all", env=database.env())
    assert good.stdout == "1 document of 1 tenant: 0 differences.\n"
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE billed_days DISABLE TRIGGER USER")
        owner.execute("UPDATE billed_days SET read_to = 7")
    bad = run_pieced("verify", "--all", "-o", "json", env=database.env(), check=False)
    assert bad.returncode == 1
    (difference,) = json.loads(bad.stdout)["differences"]
    assert (difference["stored"], difference["right"]) == ("7", "1")
    wrong = run_pieced("verify", env=database.env(), check=False)
    assert wrong.returncode == 2
    assert (
        wrong.stderr
        == "pieced: Name one document by its number, or all of them by --all; a certificate is of all of them.\n"
    )


def test_a_certificate_says_which_numbers_there_are_and_finds_what_was_rewritten_since(
    connection: Connection, database: Database, tmp_path: Path
) -> None:
    add_customers(connection, 3)
    run_invoices(connection)
    key, file = private_key_file(tmp_path), tmp_path / "certificate.json"
    command = ["verify", "--seal-key", str(key)]
    run_pieced(*command, "--certificate", str(file), env=database.env())
    run_invoices(connection, APRIL)
    good = run_pieced(*command, "--against", str(file), env=database.env())
    assert good.stdout == "6 documents of 3 tenants: 0 differences.\n"
    certificate = Certificate.opened(file.read_bytes(), SEAL_KEY.public_key(), "it")
    ((series, certified),) = certificate.series.items()
    assert (series[:2], certified.last, certified.holes, certificate.documents) == (("default", "INV"), 3, "", 3)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE invoices DISABLE TRIGGER USER")
        owner.execute("UPDATE invoices SET due_on = due_on + 1 WHERE id = 2")
        (row,) = load_documents(owner, ["org-0002"])["org-0002"][:1]
        owner.execute("UPDATE invoices SET output_hash = %s WHERE id = 2", [row.row_hash])
    assert verified(database).found == 0
    with connect(database.url) as reader:
        (broken,) = verify(reader, against=certificate).differences
    assert "documents 1 to 3" in broken.what
    refused = run_pieced(*command, "--against", str(file), "--certificate", str(file), env=database.env(), check=False)
    assert (refused.returncode, refused.stderr) == (1, "pieced: Nothing was certified, because something differs.\n")


def test_two_processes_find_what_one_does_at_one_moment(connection: Connection, database: Database) -> None:
    add_many_customers(connection, PART_ORGS + 1)
    run_invoices(connection)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE invoice_lines DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE invoice_lines SET unit = 'CHF' WHERE position = 1 AND invoice_id IN (3, %s)", [PART_ORGS + 1]
        )
    with connect(database.url) as one, connect(database.url) as several:
        alone = verify(one)
        together = verify_in_processes(several, database.url, processes=2)
    assert together == alone
    assert (alone.documents, [one.line for one in alone.differences]) == (PART_ORGS + 1, [1, 1])
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE invoice_lines SET unit = 'once' WHERE position = 1")
    with connect(database.url) as one, connect(database.url) as several:
        alone, together = verify(one), verify_in_processes(several, database.url, processes=2)
    assert alone.certificate is not None
    assert together.certificate is not None
    assert together.certificate.series == alone.certificate.series


def test_a_process_that_dies_ends_the_verification(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_customers(connection, 2)
    run_invoices(connection)
    log = tmp_path / "faults.log"
    with connect(database.url) as several:
        with monkeypatch.context() as environment:
            environment.setenv("PIECED_FAULT", "database.before_connect")
            environment.setenv("PIECED_FAULT_LOG", str(log))
            with pytest.raises(Unavailable, match="A process of this command was ended"):
                verify_in_processes(several, database.url, processes=2)
        assert log.read_text() == "database.before_connect\n"
        assert verify_in_processes(several, database.url, processes=2).documents == 2


def test_processes_end_with_whoever_started_them(connection: Connection, database: Database, tmp_path: Path) -> None:
    add_customers(connection, 2)
    run_invoices(connection)
    program = (
        "import sys; from pieced_billing.store.connections import connect;"
        "from pieced_billing.verification.in_processes import verify_in_processes;"
        "verify_in_processes(connect(sys.argv[1]), sys.argv[1], processes=2)"
    )
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("LOCK TABLE invoice_lines IN ACCESS EXCLUSIVE MODE")
        started = subprocess.Popen(
            [sys.executable, "-c", program, database.url], env=clean_environment() | {"STARTED_BY": str(tmp_path)}
        )
        try:
            await_blocked(database)
            assert len(processes_with("STARTED_BY", tmp_path)) > 1
        finally:
            started.kill()
            started.wait()
        await_none_left("STARTED_BY", tmp_path)
