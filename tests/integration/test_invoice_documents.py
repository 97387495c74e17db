"""Documents of invoices on a real database: made once, kept, of who issued them then."""

import csv
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from pieced_billing.documents import store
from pieced_billing.documents.factur_x import embedded_e_invoice
from pieced_billing.documents.store import DocumentDamaged, invoice_pdf, load_invoice_document, render_missing
from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.parties.issuing_terms import NotDescribed
from pieced_billing.store.connections import Connection, connect
from tests.books import (
    APRIL,
    ISSUER,
    MARCH,
    add_customers,
    add_tenant,
    describe_issuer,
    organisation,
    run_invoices,
    set_organisations,
    set_prices,
)
from tests.commands import run_pieced
from tests.databases import Database
from tests.invoice_documents import VAT_NUMBER, codes, texts


def stored(connection: Connection) -> list[Any]:
    return connection.execute("SELECT pdf, sha256 FROM invoice_documents ORDER BY invoice_id").fetchall()


def test_a_document_is_made_once_whatever_changes_afterwards(connection: Connection) -> None:
    add_customers(connection, 1)
    describe_issuer(connection)
    (number,) = run_invoices(connection).numbers
    made = invoice_pdf(connection, number)
    ((code,),) = codes(made)
    document = load_invoice_document(connection, number)
    assert document.payment is not None
    assert code.bytes.decode() == document.payment.payload
    assert stored(connection) == [(made, hashlib.sha256(made).digest())]
    assert (describe_issuer(connection, name="Renamed AG"), describe_issuer(connection, name="Renamed AG")) == (1, 0)
    set_organisations(connection, organisation("org-0001", name="Moved"))
    add_tenant(connection, "org-0001", "known-late")
    (later,) = run_invoices(connection, APRIL).numbers
    assert invoice_pdf(connection, number) == made
    assert stored(connection)[0] == (made, hashlib.sha256(made).digest())
    assert load_invoice_document(connection, number).supplier.address.name == "Pieced AG"
    (page,) = texts(invoice_pdf(connection, later))
    assert page.count("Renamed AG") == 3
    assert page.count("Moved") == 3
    assert f"Berichtigung {number}" in page


def test_what_has_no_vat_says_why_by_the_terms_that_the_bill_stands_on(connection: Connection) -> None:
    set_prices(connection)
    describe_issuer(connection)
    foreign = organisation("310001", country="DE", vat_posture="reverse_charge", language="en")
    came_home = organisation("310001", language="en") | {"from": date(2026, 3, 16)}
    set_organisations(connection, foreign, came_home)
    add_tenant(connection, "310001", "acme")
    (number,) = run_invoices(connection).numbers
    note = credit_invoice(connection, number, Wanted(), "wrong address")
    exempt = organisation("310001", vat_posture="exempt") | {"from": date(2026, 3, 1)}
    set_organisations(connection, exempt)  # the month is open again
    for document in (number, note):
        (page,) = texts(invoice_pdf(connection, document))
        assert "Reverse charge" in page
        assert "Exempt" not in page


def test_an_invoice_of_before_anything_was_said_of_its_issuer_shows_what_was_said_first(connection: Connection) -> None:
    add_customers(connection, 1)
    (number,) = run_invoices(connection).numbers
    with pytest.raises(NotDescribed, match="`pieced issuer apply`"):
        invoice_pdf(connection, number)
    with pytest.raises(UnknownInvoice):
        invoice_pdf(connection, "INV-1")
    assert stored(connection) == []
    describe_issuer(connection, name="First")
    describe_issuer(connection, name="Second")
    assert load_invoice_document(connection, number).supplier.address.name == "First"


def test_the_documents_of_a_month_are_made_and_then_there_is_nothing_to_do(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_customers(connection, 3)
    describe_issuer(connection)
    first, *_ = run_invoices(connection).numbers
    run_invoices(connection, APRIL)
    made = invoice_pdf(connection, first)
    assert list(render_missing(connection, MARCH)) == [(2, 0)]
    monkeypatch.setattr(store, "AT_ONCE", 2)
    assert list(render_missing(connection)) == [(2, 1), (3, 0)]
    assert list(render_missing(connection)) == []
    assert stored(connection)[0][0] == made


def test_a_recipient_that_cannot_be_printed_parks_its_organisation(connection: Connection) -> None:
    add_customers(connection, 1)
    hostile = {
        "a-emoji": {"name": "🏔"},
        "b-long": {"street": "x" * 5000},
        "c-right-to-left": {"town": "ירושלים"},
        "d-lines": {},
    }
    for org, fields in hostile.items():
        set_organisations(connection, organisation(org, **fields))
        add_tenant(connection, org, f"tenant-of-{org}")
    connection.execute("UPDATE org_billing_config SET name = E'Bern\\nCH\\nNON' WHERE zitadel_org_id = 'd-lines'")
    outcome = run_invoices(connection)
    assert len(outcome.numbers) == 1
    assert [(parked.org, parked.code, parked.reason) for parked in outcome.parked] == [
        ("a-emoji", "unfit_text", "name has '🏔' (U+1F3D4), which a Swiss payment slip cannot show."),
        ("b-long", "unfit_text", "street has 5000 characters; a Swiss payment slip shows at most 70."),
        ("c-right-to-left", "unfit_text", "town has 'י' (U+05D9), which a Swiss payment slip cannot show."),
        ("d-lines", "unfit_text", "name has a control character (U+000A), which a Swiss payment slip cannot show."),
    ]


def test_documents_are_append_only_and_a_damaged_one_is_not_shown(database: Database, connection: Connection) -> None:
    add_customers(connection, 1)
    describe_issuer(connection)
    (number,) = run_invoices(connection).numbers
    invoice_pdf(connection, number)
    with connect(database.owner_url) as owner:
        owner.autocommit = True
        for table, column in (("invoice_documents", "pdf"), ("issuing_entity_versions", "name")):
            for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                for attacker in (connection, owner):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        attacker.execute(statement)
        owner.execute("ALTER TABLE invoice_documents DISABLE TRIGGER USER")
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute("UPDATE invoice_documents SET pdf = 'forged'")
        owner.execute("ALTER TABLE invoice_documents DROP CONSTRAINT invoice_documents_sha256")
        owner.execute("UPDATE invoice_documents SET pdf = 'forged'")
    with pytest.raises(DocumentDamaged, match=f"The document of {number} was changed"):
        invoice_pdf(connection, number)


def test_the_commands(database: Database, connection: Connection, tmp_path: Path) -> None:
    add_customers(connection, 2)
    env, issuers, pdf = database.env(), tmp_path / "issuers.yaml", tmp_path / "invoice.pdf"
    issuers.write_text(yaml.safe_dump({"issuers": [ISSUER]}))
    applied = run_pieced("issuer", "apply", "-f", str(issuers), env=env)
    assert "CH4431999123000889012" in applied.stdout
    assert "default has no VAT number" in applied.stderr
    shown = run_pieced("issuer", "show", "-o", "yaml", env=env).stdout
    assert "Nothing to record" in run_pieced("issuer", "apply", "-f", "-", env=env, stdin=shown).stdout
    number, _ = run_invoices(connection).numbers
    run_pieced("invoice", "pdf", number, "-o", str(pdf), env=env)
    assert run_pieced("invoice", "render", "--month", "2026-03", env=env).stdout == "1 document made.\n"
    first, _ = run_pieced("invoice", "export", env=env).stdout.splitlines()
    exported = json.loads(first)
    assert exported["pdf_sha256"] == hashlib.sha256(pdf.read_bytes()).hexdigest()
    assert (exported["number"], exported["kind"], exported["issuer"]) == (number, "invoice", "default")
    rows = list(csv.DictReader(run_pieced("invoice", "export", "-o", "csv", env=env).stdout.splitlines()))
    assert [(row["number"], row["line"], row["amount"]) for row in rows[:2]] == [
        (number, str(position), line["amount"]) for position, line in enumerate(exported["lines"], start=1)
    ]
    describe_issuer(connection, vat_number=VAT_NUMBER)
    numbers = run_invoices(connection, APRIL).numbers
    e_invoices = run_pieced("invoice", "export", "--month", "2026-04", "-o", "xml", env=env).stdout.splitlines()
    assert [xml.encode() for xml in e_invoices] == [embedded_e_invoice(invoice_pdf(connection, n)) for n in numbers]
    without = run_pieced("invoice", "export", "--month", "2026-03", "--org", exported["org"], "-o", "xml", env=env)
    assert (without.stdout, without.stderr) == ("", f"pieced: {number} has no e-invoice in its document.\n")
    for arguments, status, said in (
        (("invoice", "pdf", number, "-o", str(tmp_path / "none" / "x.pdf")), 2, "cannot be written: No such file"),
        (("invoice", "pdf", "INV-1", "-o", "-"), 1, "There is no invoice 'INV-1'"),
    ):
        done = run_pieced(*arguments, env=env, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
        assert said in done.stderr
