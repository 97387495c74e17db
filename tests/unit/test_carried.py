"""The minimum amount of an invoice: what waits for the next bill, and how that bill has it."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.documents.charge_name import charge_name
from pieced_billing.documents.words import WORDS
from pieced_billing.invoicing.carried import is_carried
from pieced_billing.invoicing.document import Invoice, Kind
from pieced_billing.invoicing.draft import Draft, draft
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.ledger.history import TenantHistory, UsageGap, Used
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.terms import VatPosture
from pieced_billing.prices.book import PriceBook
from tests.invoice_documents import a_line
from tests.invoice_documents import an_invoice as an_invoice_document

ZURICH = ZoneInfo("Europe/Zurich")
DECEMBER, JANUARY = MonthDays(Month(2023, 12), ZURICH), MonthDays(Month(2024, 1), ZURICH)


def an_invoice(gross: str, minimum: str, revision: int = 1) -> Invoice:
    amount = Decimal(gross)
    return Invoice(
        kind=Kind.CREDIT_NOTE if amount < 0 else Kind.INVOICE,
        issued_by=IssuingTerms(minimum_amount=Decimal(minimum)),
        org="310001",
        month=DECEMBER.month,
        revision=revision,
        vat_posture=VatPosture.STANDARD,
        lines=(),
        net=amount,
        gross=amount,
        content={},
        recipient={},
        language="de",
        issued_on=date(2024, 1, 1),
        due_on=date(2024, 1, 31),
    )


def a_tenant(deleted_at: int | None = None) -> TenantHistory:
    return TenantHistory("6f1c", "acme", DECEMBER.start, deleted_at, ())


@pytest.mark.parametrize(
    ("gross", "minimum", "revision", "waits"),
    [
        ("9.99", "10.00", 1, True),
        ("10.00", "10.00", 1, False),
        ("0.00", "10.00", 1, True),
        ("0.00", "0.00", 1, False),
        ("-3.00", "10.00", 1, False),
        ("9.99", "10.00", 2, False),
    ],
)
def test_an_invoice_below_the_minimum_waits(gross: str, minimum: str, revision: int, waits: bool) -> None:
    assert is_carried(an_invoice(gross, minimum, revision), [a_tenant()], DECEMBER) is waits


@pytest.mark.parametrize(
    ("ends", "waits"),
    [
        ([DECEMBER.end], False),
        ([DECEMBER.end + 1], True),
        ([DECEMBER.end - 1, None], True),
        ([DECEMBER.end - 1, DECEMBER.end - 2], False),
        ([], False),
    ],
)
def test_the_last_bill_of_who_has_no_tenant_any_more_does_not_wait(ends: list[int | None], waits: bool) -> None:
    assert is_carried(an_invoice("1.00", "10.00"), [a_tenant(end) for end in ends], DECEMBER) is waits


def drafted(days: MonthDays, spent: str, carried: tuple[Draft, ...] = (), tenant: str = "acme") -> Draft:
    usage = [Used(days.start, "llm_spend", Decimal(spent))]
    gaps = [UsageGap("usage_source_unavailable", f"Usage of {days.month} is missing.")]
    history = TenantHistory(f"uid-of-{tenant}", tenant, DECEMBER.start, None, (), usage, gaps)
    return draft(BillingMonth(days, PriceBook()), "310001", [history], None, (), carried)


def test_a_carried_line_keeps_its_days_and_its_rate_of_vat_and_names_its_month() -> None:
    bill = drafted(JANUARY, "20.00", (drafted(DECEMBER, "3.00"),))
    assert [(line.service_from, line.vat_rate, line.amount) for line in bill.lines] == [
        (date(2023, 12, 1), Decimal("7.7"), Decimal("3.00")),
        (date(2024, 1, 1), Decimal("8.1"), Decimal("20.00")),
    ]
    assert (bill.net, bill.gross) == (Decimal("23.00"), Decimal("24.85"))
    document: Any = bill.document()
    assert document["period"] == "2024-01"
    assert [(total["rate"], total["amount"]) for total in document["vat"]] == [("7.7", "0.23"), ("8.1", "1.62")]
    assert [line.get("carried_from") for line in document["lines"]] == ["2023-12", None]


def test_lines_stand_together_by_tenant_earlier_months_first() -> None:
    bill = drafted(JANUARY, "2.00", (drafted(DECEMBER, "3.00", tenant="zeta"), drafted(DECEMBER, "1.00")))
    assert [(line.tenant, line.amount) for line in bill.lines] == [
        ("acme", Decimal("1.00")),
        ("acme", Decimal("2.00")),
        ("zeta", Decimal("3.00")),
    ]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("de", "Paket search (Übertrag aus 12.2023)"),
        ("fr", "Module search (report de 12.2023)"),
        ("it", "Pacchetto search (riporto da 12.2023)"),
        ("en", "Package search (carried from 12.2023)"),
    ],
)
def test_documents_name_the_month_of_a_carried_line_and_the_whole_period(language: str, name: str) -> None:
    line = a_line(carried_from="2023-12", service_from="2023-12-01", service_to="2023-12-05")
    assert charge_name(line, WORDS[language], str) == name
    invoice = an_invoice_document(language, period="2024-01", lines=[line, a_line()])
    assert invoice.period == (date(2023, 12, 1), date(2024, 1, 31))


def test_what_is_missing_of_a_carried_month_is_warned_of() -> None:
    bill = drafted(JANUARY, "2.00", (drafted(DECEMBER, "3.00"),))
    missing = [one.text for one in bill.warnings if one.code == "usage_source_unavailable"]
    assert missing == ["Usage of 2023-12 is missing.", "Usage of 2024-01 is missing."]
