"""Who issues an organisation's bills, how their numbers are written, and when they are due."""

from collections.abc import Sequence
from datetime import date

import pytest

from pieced_billing.parties.issuing_terms import (
    IssuerNotNamed,
    Issuers,
    IssuingTerms,
    NotDescribed,
    issuer_of,
    named_issuer,
)
from pieced_billing.parties.organisation import Organisation
from pieced_billing.parties.own_prefixes import Numbered, PrefixTaken, require_own_prefixes

QR_IBAN, IBAN = "CH4431999123000889012", "CH9300762011623852957"


def described(*names: str) -> Issuers:
    return {name: IssuingTerms(name) for name in names}


@pytest.mark.parametrize(
    ("named", "issuers", "issues"),
    [
        (None, described(), "default"),
        (None, described("lab"), "lab"),
        (None, described("default", "lab"), "default"),
        ("lab", described("default", "lab"), "lab"),
        ("default", described(), "default"),
    ],
)
def test_who_issues(named: str | None, issuers: Issuers, issues: str) -> None:
    assert issuer_of(Organisation("310001", issuer=named), issuers).issuer == issues


def test_of_several_issuers_none_is_guessed() -> None:
    with pytest.raises(IssuerNotNamed, match=r"Organisation 310001 does not say who issues its invoices, one of a, b;"):
        issuer_of(Organisation("310001"), described("b", "a"))
    with pytest.raises(NotDescribed, match="issues the invoices of 'c'"):
        issuer_of(Organisation("310001", issuer="c"), described("a", "b"))
    with pytest.raises(NotDescribed, match="issues the invoices of 'c'"):
        named_issuer("c", described())


@pytest.mark.parametrize(
    ("terms", "count", "written"),
    [
        (IssuingTerms(), 1, "INV-2026-000001"),
        (IssuingTerms(), 1234567, "INV-2026-1234567"),
        (IssuingTerms(invoice_prefix="RE1", number_digits=4), 17, "RE1-2026-0017"),
    ],
)
def test_numbers(terms: IssuingTerms, count: int, written: str) -> None:
    assert terms.number("INV", 2026, count) == written


def test_a_credit_note_has_a_prefix_of_its_own() -> None:
    assert IssuingTerms(credit_note_prefix="GS").number("CN", 2026, 2) == "GS-2026-000002"


@pytest.mark.parametrize(("issuer", "agreed", "due"), [(30, None, 31), (10, None, 11), (10, 20, 21), (10, 0, 1)])
def test_what_was_agreed_with_an_organisation_decides_when_it_pays(issuer: int, agreed: int | None, due: int) -> None:
    organisation = Organisation("310001", payment_days=agreed)
    assert IssuingTerms(payment_days=issuer).due_on(date(2026, 12, 1), organisation) == date(2026, 12, due)


def said(issuer: str = "default", invoice: str = "INV", credit: str = "CN", digits: int = 6) -> Numbered:
    return Numbered(IssuingTerms(issuer, invoice, credit, digits), IBAN)


def at(numbered: Numbered, iban: str) -> Numbered:
    return numbered._replace(iban=iban)


@pytest.mark.parametrize(
    "everything",
    [
        [said(), said()],
        [said(), said("lab", "LAB", "LABCN")],
        [said(), said("default", "RE", "GS", 8), said()],
        [said(), said("default", "RE", "CN")],
        [at(said(), QR_IBAN), at(said("lab", "LAB1", "LABCN"), QR_IBAN)],
        [Numbered(IssuingTerms(), None), at(said(), QR_IBAN)],
    ],
)
def test_prefixes_that_name_one_kind_of_number_each(everything: Sequence[Numbered]) -> None:
    require_own_prefixes(everything)


@pytest.mark.parametrize(
    ("everything", "reason"),
    [
        ([said(), said("lab")], "begin with INV are those of series INV of default; lab needs a prefix of its own"),
        ([said(), said("lab", "CN", "X")], "begin with CN are those of series CN of default; lab needs"),
        ([said("default", "RE", "RE")], "begin with RE are those of series INV of default; default needs"),
        ([said(digits=6), said(digits=7)], "begin with INV have 6 digits and would not sort with others of 7; default"),
        (
            [at(said(), QR_IBAN), at(said("lab", "LAB", "LABCN"), QR_IBAN)],
            "default and lab share a QR-IBAN, whose references have only the digits of a number",
        ),
        ([at(said(), QR_IBAN), at(said("lab", "LAB0", "LABCN"), QR_IBAN)], "share a QR-IBAN"),
    ],
)
def test_a_prefix_that_would_stand_for_two_kinds_of_number(everything: Sequence[Numbered], reason: str) -> None:
    with pytest.raises(PrefixTaken, match=reason):
        require_own_prefixes(everything)
