"""Credit notes on a real database: numbers of their own, capped, and a period that can be billed again."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import psycopg
import pytest

from pieced_billing.collection.receivables import receivable
from pieced_billing.collection.status import Status
from pieced_billing.invoicing.corrections import CannotCorrect, correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import CannotCredit, Wanted
from pieced_billing.invoicing.issued import numberings
from pieced_billing.ledger.soundness import unsound_counter
from pieced_billing.store.connections import Connection, connect
from pieced_billing.store.settings import load_settings
from tests.books import MARCH, add_customers, organisation, run_invoices, set_organisations, set_prices
from tests.commands import run_pieced
from tests.databases import Database


@pytest.fixture
def number(connection: Connection) -> str:
    """The number of an invoice over CHF 130.00 without VAT: 99.00 for setting up, 31.00 for March."""
    add_customers(connection, 1)
    return run_invoices(connection).numbers[0]


def stands(connection: Connection, number: str) -> tuple[Status, Decimal, Decimal]:
    """How an invoice stands today, what was credited and what is open."""
    one = receivable(connection, load_settings(connection).today, number)
    return one.status, one.credited, one.open


def test_a_full_credit_makes_the_period_billable_again(connection: Connection, number: str) -> None:
    today = load_settings(connection).today
    note = credit_invoice(connection, number, Wanted(), "wrong price")
    assert note == f"CN-{today.year}-000001"
    assert stands(connection, number) == (Status.CREDITED, Decimal("140.53"), Decimal(0))
    assert stands(connection, note)[0] is Status.CREDIT_NOTE
    # Nothing is finalised any more: prices of that month can change, and the next bill follows them.
    set_prices(connection, {"platform": [{"from": "2026-01-01", "tenant_monthly_fee_chf": "62.00"}]})
    again = run_invoices(connection)
    assert (again.numbers, again.gross) == ([f"INV-{today.year}-000002"], Decimal("174.04"))
    assert run_invoices(connection).numbers == []
    revisions = connection.execute("SELECT kind, revision FROM invoices ORDER BY id").fetchall()
    assert revisions == [("invoice", 1), ("credit_note", 1), ("invoice", 2)]


def test_a_credit_of_a_part_leaves_the_period_billed(connection: Connection, number: str) -> None:
    credit_invoice(connection, number, Wanted([2]), "goodwill")
    credit_invoice(connection, number, Wanted(amount=Decimal("9.00")), "goodwill")
    assert stands(connection, number) == (Status.OPEN, Decimal("43.24"), Decimal("97.29"))
    assert run_invoices(connection).numbers == []
    with pytest.raises(CannotCredit, match=r"CHF 90\.01 is more than is left: CHF 90\.00 without VAT"):
        credit_invoice(connection, number, Wanted(amount=Decimal("90.01")), "goodwill")
    credit_invoice(connection, number, Wanted(), "all of it")
    assert stands(connection, number) == (Status.CREDITED, Decimal("140.53"), Decimal(0))
    sums = connection.execute("SELECT sum(net), sum(vat), sum(gross) FROM invoices").fetchone()
    assert sums == (0, 0, 0)


def test_credits_at_once_give_back_no_more_than_there_is(
    database: Database, connection: Connection, number: str
) -> None:
    def give_back(_: int) -> str | None:
        with connect(database.url) as own:
            try:
                return credit_invoice(own, number, Wanted(amount=Decimal("50.00")), "goodwill")
            except CannotCredit:
                return None

    with ThreadPoolExecutor(4) as threads:
        given = [note for note in threads.map(give_back, range(6)) if note]
    assert len(given) == 2
    (credit_notes, _) = numberings(connection)
    assert (credit_notes.series.series, credit_notes.last_number) == ("CN", 2)
    for one in numberings(connection):
        assert list(unsound_counter(one.name, one.last_number, one.accounted_for())) == []


def test_the_database_itself_refuses_to_credit_too_much(connection: Connection, number: str) -> None:
    line = (
        "INSERT INTO invoice_lines (invoice_id, position, tenant_name, tenant_uid, kind, service_from, service_to,"
        " quantity, unit, unit_price, vat_rate, amount, days, original_position)"
        " VALUES (9, 1, 'a', 'uid-of-a', 'tenant_monthly_fee', '2026-03-01', '2026-03-31', -1, 'once', 1, 0, %s, 0, %s)"
    )
    document = (
        "INSERT INTO invoices (id, number, issuing_entity, series, kind, zitadel_org_id, period_start, currency,"
        " vat_posture, language, issued_on, due_on, net, vat, gross, recipient, content, rules_version,"
        " credits, completes, reason, output_hash)"
        " SELECT 9, 'CN-X', 'default', 'CN', 'credit_note', zitadel_org_id, period_start, 'CHF', 'standard', 'de',"
        " issued_on, issued_on, %s, 0, %s, '{}', '{}', '1', id, %s, 'r', output_hash FROM invoices"
    )
    for amount, position, completes in (("-31.01", 2, False), ("-1", 3, False), ("1", 2, False), ("-31", 2, True)):
        with connection.transaction(force_rollback=True):
            connection.execute(line, [amount, position])
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(document, [amount, amount, completes])
    with connection.transaction():
        connection.execute(line, ["-31", 2])
        connection.execute(document, ["-31", "-31", False])
    second = "INSERT INTO invoices SELECT * FROM json_populate_record(NULL::invoices, %s)"
    row = connection.execute(
        'SELECT to_jsonb(invoices) || \'{"id": 99, "number": "X", "revision": 2, "net": 0, "vat": 0,'
        ' "gross": 0}\' FROM invoices WHERE number = %s',
        [number],
    ).fetchone()
    assert row is not None
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(second, [json.dumps(row[0])])


def test_a_correction_is_a_credit_note_and_a_new_invoice_or_neither(connection: Connection, number: str) -> None:
    year = load_settings(connection).today.year
    set_organisations(connection, organisation("org-0001", name="Renamed"))
    assert correct_invoice(connection, number, "wrong name") == (f"CN-{year}-000001", f"INV-{year}-000002")
    names = connection.execute("SELECT recipient ->> 'name' FROM invoices ORDER BY id").fetchall()
    assert names == [("Customer org-0001",), ("Customer org-0001",), ("Renamed",)]
    connection.execute("UPDATE org_billing_config SET country = NULL")
    with pytest.raises(CannotCorrect, match=f"INV-{year}-000002 was not credited, as 2026-03 cannot be billed again"):
        correct_invoice(connection, f"INV-{year}-000002", "r")
    assert connection.execute("SELECT count(*) FROM invoices").fetchone() == (3,)


def test_commands(database: Database, connection: Connection, number: str) -> None:
    today = load_settings(connection).today
    note = f"CN-{today.year}-000001"

    def invoice(*arguments: str, status: int = 0) -> str:
        done = run_pieced("invoice", *arguments, env=database.env(), check=False)
        assert done.returncode == status, done.stderr
        assert done.stderr.count("\n") == (1 if status else 0)
        return done.stdout or done.stderr

    said = invoice("credit", number, "--line", "2", "--reason", "goodwill")
    assert said == f"{note} gives back CHF 33.51 of {number}, of which CHF 107.02 is left.\n"
    assert "CN-" in invoice("pay", note, "--on", f"{today}", "--amount", "1", "--reference", "r", status=1)
    assert "is a credit note, which is never credited" in invoice("credit", note, "--reason", "r", status=1)
    assert "--reason must be one line" in invoice("credit", number, "--reason", " ", status=2)
    assert "There is no invoice 'INV-1'" in invoice("correct", "INV-1", "--reason", "r", status=1)
    corrected = json.loads(invoice("correct", number, "--reason", "moved", "-o", "json"))
    assert corrected["invoice"] == f"INV-{today.year}-000002"
    shown = json.loads(invoice("show", number, "-o", "json"))
    assert [one["gross"] for one in shown["credit_notes"]] == ["-33.51", "-107.02"]
    assert f"Credit note {note}, {MARCH}\non invoice {number}: goodwill" in invoice("show", note)
