"""Random lives of many organisations over months, told late, billed, credited and billed again: all as owed."""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import orjson
import psycopg
import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing import adjust, late
from pieced_billing.invoicing.corrections import correct_invoice, credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.store.connections import Connection
from pieced_billing.verification.verify import Verification
from tests.books import run_invoices, set_organisations, set_prices
from tests.issuers import set_minimum
from tests.oracle.bill import Books, Question
from tests.oracle.owed import charged, owed
from tests.property.histories import random_world
from tests.property.lateness import told

ORGS = 12
MONTHS = [Month(2026, number) for number in (2, 3, 4, 5)]
AFTERWARDS = Month(2026, 6)
STANDING = """
SELECT period.zitadel_org_id, period.period_start, number, kind FROM standing_periods AS period
    JOIN invoices AS bill ON bill.id = invoice_id
ORDER BY number, period.period_start
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_rule_17_whatever_comes_late_and_is_credited_in_the_end_all_is_charged_as_owed(
    connection: Connection, seed: int
) -> None:
    books = lived(connection, seed)
    adjusting = connection.execute("SELECT count(*) FROM invoice_lines WHERE adjusts IS NOT NULL").fetchone()
    assert adjusting is not None
    assert adjusting[0] > ORGS
    assert differences(connection, books) == []
    with connection.transaction():
        assert Verification(connection).run().differences == []


def test_what_waits_for_a_minimum_amount_is_charged_as_owed_once_it_does_not_wait(connection: Connection) -> None:
    set_minimum(connection, "120.00")
    books = lived(connection, 3)
    carried = connection.execute("SELECT count(*) FROM carried_periods").fetchone()
    assert carried is not None
    assert carried[0] > ORGS // 2
    set_minimum(connection, "0.00")
    bill(connection, [*MONTHS, AFTERWARDS])
    assert differences(connection, books) == []


@pytest.mark.parametrize(
    ("module", "statement", "right", "wrong"),
    [
        (late, "_LATE", "compared.read_to, 0)", "compared.read_to, 0) + 1"),
        (late, "_BILLED", "AND line.adjusts IS NOT NULL AND", "AND line.adjusts IS NULL AND"),
        (adjust, "_TAKEN_BACK", "line.adjusted_period = %s", "line.adjusted_period = %s AND false"),
    ],
    ids=["read too far", "adjusted again and again", "nothing taken back"],
)
def test_rule_17_an_error_planted_in_what_is_read_is_caught(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, module: Any, statement: str, right: str, wrong: str
) -> None:
    text = getattr(module, statement)
    assert right in text
    monkeypatch.setattr(module, statement, text.replace(right, wrong))
    try:
        caught = differences(connection, lived(connection, 1)) != []
    except (psycopg.errors.ExclusionViolation, AssertionError):  # the database refuses to bill a day twice
        caught = True
    assert caught


def lived(connection: Connection, seed: int) -> Books:
    """Import, bill, credit and bill again, month by month; returns all that was told."""
    rng = Random(seed)
    books = world(rng)
    set_prices(connection, {"platform": texts(books.platform), "packages": all_texts(books.packages)})
    set_organisations(connection, *texts(books.orgs))
    known = 0
    for place, so_far in enumerate(told(rng, books, MONTHS, "Europe/Zurich")):
        bring(connection, so_far.lines[known:])
        known, books = len(so_far.lines), so_far
        bill(connection, MONTHS[: place + 1])
        credit_some(connection, rng)
    bill(connection, [*MONTHS, AFTERWARDS])
    return books


def world(rng: Random) -> Books:
    """Organisations that can all be invoiced, with amounts that an invoice can have."""
    books = random_world(rng, "2026-03", "Europe/Zurich", ORGS)
    orgs = {line["org"] for line in books.lines if line["kind"] == "created"}
    somebody = [{"org": org, "name": "Someone", "country": "CH"} for org in sorted(orgs)]
    lines = [line for line in books.lines if len(line.get("quantity", "").partition(".")[0]) < 7]
    return replace(books, lines=lines, orgs=[*somebody, *books.orgs])


def texts(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: None if value is None else str(value) for name, value in entry.items()} for entry in entries]


def all_texts(packages: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {package: texts(entries) for package, entries in packages.items()}


def bring(connection: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    with connection.transaction():
        import_lines(connection, io.BytesIO(b"\n".join(orjson.dumps(line) for line in lines)))


def bill(connection: Connection, months: Sequence[Month]) -> None:
    for month in months:
        assert run_invoices(connection, month, confirmed=True).parked == []


def credit_some(connection: Connection, rng: Random) -> None:
    """Take some of the invoices back in full; some are billed again at once, the others by the next run."""
    standing = connection.execute(STANDING).fetchall()
    invoices = [*dict.fromkeys(number for *_, number, kind in standing if kind == "invoice")]
    for number in rng.sample(invoices, len(invoices) // 6):
        if rng.random() < 0.5:
            correct_invoice(connection, number, "wrong")
        else:
            credit_invoice(connection, number, Wanted(), "wrong")


def differences(connection: Connection, books: Books) -> list[tuple[Any, ...]]:
    """Each charge of which another sum stands on bills, less credit notes, than is owed."""
    months: defaultdict[str, list[str]] = defaultdict(list)
    for org, period, *_ in connection.execute(STANDING).fetchall():
        months[org].append(str(Month.of(period)))
    documents: dict[str, Any] = dict(connection.execute("SELECT number, content FROM invoices").fetchall())
    found = charged(documents)
    right = owed(books, [Question(org, month) for org, billed in months.items() for month in billed])
    return [
        (charge, found.get(charge), right.get(charge))
        for charge in sorted(found.keys() | right.keys())
        if found.get(charge) != right.get(charge)
    ]
