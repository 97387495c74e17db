"""Numbers that a restored database does not know: never given again, and certified where they are."""

import json
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.invoicing.holes import Hole, certify_holes
from pieced_billing.invoicing.issued import numberings
from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.invoicing.sealed_numbers import SealedNumbers, seal_numbers
from pieced_billing.ledger.soundness import NumberRun, unsound_counter
from pieced_billing.parties.issuing_terms import DEFAULT_ISSUER, SERIES
from pieced_billing.store.connections import Connection, connect
from pieced_billing.store.settings import load_settings
from tests.books import APRIL, MARCH, add_customers, first_numbers, numbers, run_invoices
from tests.commands import run_pieced
from tests.databases import Database

pytestmark = pytest.mark.both_servers

KEY = Ed25519PrivateKey.generate()
SEALED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def this_year(connection: Connection) -> NumberSeries:
    return NumberSeries(DEFAULT_ISSUER, SERIES, load_settings(connection).today.year)


def sealed(**last: int) -> SealedNumbers:
    """Sealed counters of years: `sealed(y2026=7)`."""
    counters = {NumberSeries(DEFAULT_ISSUER, SERIES, int(year[1:])): number for year, number in last.items()}
    return seal_numbers(UUID(int=0), counters, SEALED_AT, KEY)


def found_by_a_check(connection: Connection) -> list[str]:
    """What `pieced ledger check` finds of the counters."""
    return [
        finding.what
        for one in numberings(connection)
        for finding in unsound_counter(one.name, one.last_number, one.accounted_for())
    ]


def test_numbers_go_on_behind_what_was_sealed_and_the_hole_is_certified_once(
    database: Database, connection: Connection
) -> None:
    add_customers(connection, 3)
    run_invoices(connection)
    series = this_year(connection)
    evidence = sealed(**{f"y{series.year}": 7, "y2025": 2})
    lost = [(NumberSeries(DEFAULT_ISSUER, SERIES, 2025), NumberRun(1, 2)), (series, NumberRun(4, 7))]
    holes = [Hole.of(*numbers, issuers={}, sealed_at=SEALED_AT) for numbers in lost]
    assert certify_holes(connection, evidence) == holes
    assert certify_holes(connection, evidence) == []
    assert run_invoices(connection, APRIL).numbers == first_numbers(connection, 10)[7:]
    assert certify_holes(connection, evidence) == []
    assert found_by_a_check(connection) == []

    document = json.loads(run_pieced("invoice", "numbers", "-o", "json", env=database.env()).stdout)
    (hole,) = document[0]["holes"]
    assert (document[0]["year"], document[0]["last_number"], document[0]["issued"]) == (2025, 2, [])
    assert (hole["first"], hole["last"]) == (1, 2)
    assert (document[1]["last_number"], document[1]["issued"]) == (
        10,
        [{"first": 1, "last": 3}, {"first": 8, "last": 10}],
    )
    table = run_pieced("invoice", "numbers", env=database.env()).stdout.splitlines()[2:]
    assert [line.split()[-2 if "lost" in line else -1] for line in table] == ["lost", "issued", "lost", "issued"]
    kept = connection.execute("SELECT DISTINCT evidence FROM invoice_number_holes").fetchall()
    assert kept == [(evidence.line,)]


def test_a_hole_that_nothing_certifies_is_found(connection: Connection) -> None:
    add_customers(connection, 3)
    run_invoices(connection)
    series = this_year(connection)
    certify_holes(connection, sealed(**{f"y{series.year}": 5}))
    connection.execute("UPDATE invoice_number_counters SET last_number = 8")
    run_invoices(connection, APRIL)
    name = f"invoice numbers INV-{series.year} of default"
    assert found_by_a_check(connection) == [f"{name}: no invoice has numbers 6 to 8"]


def hole(series: NumberSeries, first: int, last: int) -> tuple[str, list[object]]:
    return "INSERT INTO invoice_number_holes VALUES (%s, %s, %s, %s, %s, 'x')", [*series, first, last]


def test_holes_do_not_overlap_and_no_invoice_lies_in_one(connection: Connection) -> None:
    add_customers(connection, 2)
    run_invoices(connection)
    series = this_year(connection)
    certify_holes(connection, sealed(**{f"y{series.year}": 5}))
    for first, last in ((2, 8), (3, 4), (5, 9), (7, 9)):
        with pytest.raises(psycopg.errors.CheckViolation, match=f"begins after the last number: 6, not {first}"):
            connection.execute(*hole(series, first, last))
    with pytest.raises(psycopg.errors.CheckViolation, match="was given before the database was restored"):
        connection.execute(
            "INSERT INTO invoices (number, issuing_entity, series, zitadel_org_id, period_start, currency, vat_posture,"
            " language, issued_on, due_on, net, vat, gross, recipient, content, rules_version, stands_on,"
            " output_hash)"
            " SELECT replace(number, '000001', '000004'), issuing_entity, series, 'x', period_start, currency,"
            " vat_posture, language, issued_on, due_on, 0, 0, 0, recipient, content, rules_version, stands_on,"
            " output_hash FROM invoices WHERE number LIKE '%000001'"
        )
    assert numbers(connection) == first_numbers(connection, 2)


@pytest.mark.parametrize("role", ["application", "owner"])
def test_what_was_certified_stays(database: Database, connection: Connection, role: str) -> None:
    certify_holes(connection, sealed(y2026=5))
    with connect(database.url if role == "application" else database.owner_url) as opened:
        opened.autocommit = True
        for statement in (
            "UPDATE invoice_number_holes SET last_number = 4",
            "DELETE FROM invoice_number_holes",
            "TRUNCATE invoice_number_holes",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                opened.execute(statement)


def test_a_run_and_a_certificate_wait_for_each_other(database: Database, connection: Connection) -> None:
    """The hole is worked out from counters that nobody raises meanwhile."""
    add_customers(connection, 1)
    series = this_year(connection)
    with connect(database.url) as certifying:
        certifying.execute("SET lock_timeout = '200ms'")
        certifying.commit()
        with connection.transaction():
            run_invoices(connection, MARCH)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                certify_holes(certifying, sealed(**{f"y{series.year}": 1}))
        assert certify_holes(certifying, sealed(**{f"y{series.year}": 1})) == []
