"""Several who issue invoices: each counts its own numbers, in its own format, and names its own due date."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.invoicing.corrections import correct_invoice
from pieced_billing.invoicing.holes import certify_holes
from pieced_billing.invoicing.issued import numberings
from pieced_billing.invoicing.number import NumberSeries, read_counters
from pieced_billing.invoicing.sealed_numbers import seal_numbers, sealed_numbers
from pieced_billing.ledger.soundness import unsound_counter
from pieced_billing.parties.issuing_terms import DEFAULT_ISSUER, SERIES, NotDescribed
from pieced_billing.parties.own_prefixes import PrefixTaken
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from tests.books import APRIL, add_customers, organisation, run_invoices, set_organisations
from tests.commands import run_pieced
from tests.databases import Database
from tests.issuers import describe

LAB = {
    "issuer": "lab",
    "iban": "CH93 0076 2011 6238 5295 7",
    "payment_days": 10,
    "invoice_prefix": "LAB",
    "credit_note_prefix": "LCN",
    "number_digits": 4,
}


def test_each_issuer_counts_for_itself_and_bears_its_invoices(database: Database, connection: Connection) -> None:
    add_customers(connection, 3)
    describe(connection)
    describe(connection, **LAB)
    set_organisations(
        connection, organisation("org-0002", issuer="lab"), organisation("org-0003", issuer="lab", payment_days=0)
    )
    today = load_settings(connection).today
    year = today.year
    run = json.loads(run_pieced("invoice", "run", "--month", "2026-03", "-o", "json", env=database.env()).stdout)
    assert run["numbers"] == [
        {"issuer": "default", "series": "INV", "count": 1, "first": f"INV-{year}-000001", "last": f"INV-{year}-000001"},
        {"issuer": "lab", "series": "INV", "count": 2, "first": f"LAB-{year}-0001", "last": f"LAB-{year}-0002"},
    ]
    issued = connection.execute(
        "SELECT number, issuing_entity, due_on - issued_on FROM invoices ORDER BY id"
    ).fetchall()
    assert issued == [
        (f"INV-{year}-000001", "default", 30),
        (f"LAB-{year}-0001", "lab", 10),
        (f"LAB-{year}-0002", "lab", 0),
    ]
    correction = correct_invoice(connection, f"LAB-{year}-0001", "moved")
    assert correction == (f"LCN-{year}-0001", f"LAB-{year}-0003")
    assert run_invoices(connection, APRIL).by_series == {
        ("default", "INV"): [f"INV-{year}-000002"],
        ("lab", "INV"): [f"LAB-{year}-0004", f"LAB-{year}-0005"],
    }
    summary = run_pieced("invoice", "run", "--month", "2026-05", env=database.env()).stdout
    assert f"finalised for 2026-05, INV-{year}-000003 to INV-{year}-000003 and LAB-{year}-0006 to LAB-" in summary
    shown = run_pieced("invoice", "numbers", env=database.env()).stdout.splitlines()[2:]
    assert [line.split()[:4] for line in shown] == [
        ["default", f"INV-{year}-000001", f"INV-{year}-000003", "3"],
        ["lab", f"LCN-{year}-0001", f"LCN-{year}-0001", "1"],
        ["lab", f"LAB-{year}-0001", f"LAB-{year}-0007", "7"],
    ]
    for one in numberings(connection):
        assert list(unsound_counter(one.name, one.last_number, one.accounted_for())) == []
    counters = read_counters(connection)
    assert counters == {
        NumberSeries("default", "INV", year): 3,
        NumberSeries("lab", "INV", year): 7,
        NumberSeries("lab", "CN", year): 1,
    }
    key = Ed25519PrivateKey.generate()
    sealed = seal_numbers(UUID(int=0), counters, datetime.now(UTC), key)
    assert sealed_numbers(sealed.line, key.public_key(), "the seal") == sealed
    ahead = {series: last + 2 for series, last in counters.items()}
    holes = certify_holes(connection, seal_numbers(UUID(int=0), ahead, datetime.now(UTC), key))
    assert [hole.written for hole in holes] == [
        (f"INV-{year}-000004", f"INV-{year}-000005"),
        (f"LCN-{year}-0002", f"LCN-{year}-0003"),
        (f"LAB-{year}-0008", f"LAB-{year}-0009"),
    ]


def test_a_new_format_holds_for_what_is_issued_later_and_numbers_go_on(connection: Connection) -> None:
    add_customers(connection, 1)
    (first,) = run_invoices(connection).numbers
    describe(connection, invoice_prefix="RE", number_digits=8, credit_note_prefix="GS", payment_days=14)
    (second,) = run_invoices(connection, APRIL).numbers
    today = load_settings(connection).today
    assert (first, second) == (f"INV-{today.year}-000001", f"RE-{today.year}-00000002")
    due = connection.execute("SELECT due_on FROM invoices ORDER BY id").fetchall()
    assert due == [(today + timedelta(days=30),), (today + timedelta(days=14),)]
    with pytest.raises(PrefixTaken, match="begin with INV are those of series INV of default"):
        describe(connection, **LAB | {"invoice_prefix": "INV"})
    (numbering,) = numberings(connection)
    assert list(numbering.written.values()) == [(first, second)]


def test_lost_numbers_are_written_as_they_were_before_a_new_format(database: Database, connection: Connection) -> None:
    add_customers(connection, 1)
    series = NumberSeries(DEFAULT_ISSUER, SERIES, load_settings(connection).today.year)
    sealed = seal_numbers(UUID(int=0), {series: 2}, datetime.now(UTC), Ed25519PrivateKey.generate())
    describe(connection, invoice_prefix="RE", number_digits=8, credit_note_prefix="GS")
    (hole,) = certify_holes(connection, sealed)
    written = f"INV-{series.year}-000001", f"INV-{series.year}-000002"
    assert hole.written == written
    assert run_invoices(connection).numbers == [f"RE-{series.year}-00000003"]
    shown = run_pieced("invoice", "numbers", env=database.env()).stdout.splitlines()[2:]
    later = f"RE-{series.year}-00000003"
    assert [line.split()[1:5] for line in shown] == [[*written, "2", "lost"], [later, later, "1", "issued"]]


def test_of_several_issuers_none_is_guessed_and_an_unknown_one_is_refused(connection: Connection) -> None:
    add_customers(connection, 2)
    describe(connection, **LAB)
    describe(connection, **LAB | {"issuer": "studio", "invoice_prefix": "STU", "credit_note_prefix": "SCN"})
    with pytest.raises(NotDescribed, match="issues the invoices of 'atelier'"):
        set_organisations(connection, organisation("org-0002", issuer="atelier"))
    set_organisations(connection, organisation("org-0002", issuer="studio"))
    outcome = run_invoices(connection)
    assert (list(outcome.by_series), [(one.org, one.code) for one in outcome.parked]) == (
        [("studio", "INV")],
        [("org-0001", "issuer_not_named")],
    )


def test_what_no_format_can_be_is_refused_whoever_writes_it(connection: Connection) -> None:
    describe(connection)
    for field, value in {"invoice_prefix": "inv", "number_digits": 3, "payment_days": -1}.items():
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                "INSERT INTO issuing_entity_versions"
                f" (issuing_entity, name, postcode, town, country, iban, accent_colour, {field})"
                " SELECT 'x', name, postcode, town, country, iban, accent_colour, %s FROM issuing_entity_versions",
                [value],
            )
