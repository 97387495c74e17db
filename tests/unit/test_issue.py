"""Which draft becomes an invoice, and what of the recipient is frozen with it."""

from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.document import Kind
from pieced_billing.invoicing.draft import Draft
from pieced_billing.invoicing.issue import AmountTooLarge, issue
from pieced_billing.parties.organisation import NotConfigured, Organisation
from pieced_billing.parties.terms import PartyTerms, VatPosture
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.rating.lines import Line
from pieced_billing.rating.vat import VatTotal

TODAY = date(2026, 4, 1)
ACME = Organisation("310001", name="Acme AG", street="Bahnhofstrasse", postcode="8001", town="Zürich")
SWISS, MOVED = Version[str](None, "CH"), Version[str](date(2026, 4, 1), "DE")


def a_draft(net: str | None = "100.00", *more: str) -> Draft:
    """A draft with a line of each amount, or with none."""
    on = date(2026, 3, 1)
    amounts = [] if net is None else [Decimal(one) for one in (net, *more)]
    rate = Decimal("8.1")
    lines = tuple(
        Line("acme", "6f1c", "llm_spend", None, on, on, amount, "CHF", Decimal("1.00"), rate, amount, 1)
        for amount in amounts
    )
    vat = tuple(VatTotal(rate, amount, Decimal("8.10").copy_sign(amount)) for amount in amounts)
    total = sum(amounts, Decimal("0.00"))
    gross = total + sum((one.amount for one in vat), Decimal("0.00"))
    return Draft("310001", Month(2026, 3), VatPosture.STANDARD, lines, total, vat, gross, (), {})


def terms(*countries: Version[str]) -> PartyTerms:
    return PartyTerms(country=Versions(countries))


def test_address_and_language_are_those_of_the_day_of_issue() -> None:
    invoice = issue(a_draft(), ACME, terms(SWISS, MOVED), {}, TODAY)
    assert invoice is not None
    assert invoice.recipient == {
        "name": "Acme AG",
        "street": "Bahnhofstrasse",
        "house_number": None,
        "postcode": "8001",
        "town": "Zürich",
        "country": "DE",
        "email": None,
        "vat_number": None,
        "purchase_order": None,
    }
    assert (invoice.language, invoice.issued_on, invoice.due_on) == ("de", TODAY, date(2026, 5, 1))


def test_rule_18_a_draft_without_lines_makes_no_invoice() -> None:
    assert issue(a_draft(None), ACME, terms(SWISS), {}, TODAY) is None
    assert issue(a_draft(None), None, None, {}, TODAY) is None


def test_rule_14_an_organisation_without_configuration_is_not_invoiced() -> None:
    with pytest.raises(NotConfigured, match=r"Organisation 310001 has no configuration; .*`pieced org apply`"):
        issue(a_draft(), None, None, {}, TODAY)


@pytest.mark.parametrize("countries", [(), (Version(None, None),), (Version(date(2026, 4, 2), "CH"),)])
def test_rule_14_a_configuration_without_a_country_today_is_none(countries: tuple[Version[str], ...]) -> None:
    with pytest.raises(NotConfigured, match="give its name and country"):
        issue(a_draft(), ACME, terms(*countries), {}, TODAY)


def test_rule_17_a_negative_draft_becomes_a_credit_note() -> None:
    note = issue(a_draft("-100.00"), ACME, terms(SWISS), {}, TODAY)
    assert note is not None
    assert (note.kind, note.gross, note.due_on) == (Kind.CREDIT_NOTE, Decimal("-108.10"), TODAY)


@pytest.mark.parametrize(
    ("nets", "amount"),
    [
        (["10000000000.00"], "10000000008.10"),
        (["9999999999.99"], "10000000008.09"),
        (["20000000000.00", "-19999999999.00"], "20000000000.00"),
        (["-19999999999.00", "20000000000.00"], "20000000000.00"),
    ],
)
def test_an_amount_that_no_column_holds_is_said(nets: list[str], amount: str) -> None:
    with pytest.raises(
        AmountTooLarge,
        match=rf"^The draft of 2026-03 has an amount of CHF {amount}; an invoice has none above 9999999999\.99\.$",
    ):
        issue(a_draft(*nets), ACME, terms(SWISS), {}, TODAY)


def test_an_invoice_of_nothing_is_an_invoice() -> None:
    assert issue(a_draft("0.00"), ACME, terms(SWISS), {}, TODAY) is not None
