"""The file format of organisations."""

import itertools
from collections.abc import Sequence
from datetime import date

import pytest

from pieced_billing.parties.apply import in_force
from pieced_billing.parties.entries import TermsEntry
from pieced_billing.parties.organisation import Organisation
from pieced_billing.parties.read import OrganisationEntry, read_organisations
from pieced_billing.yaml_file import BadFile


def read(*entries: str) -> list[OrganisationEntry]:
    content = "orgs:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    return read_organisations(content.encode(), "orgs.yaml")


def test_an_organisation_of_every_field() -> None:
    (entry,) = read(
        'org: "310001", name: "Acme AG", country: CH, street: Bahnhofstrasse, house_number: 1, postcode: 08001,'
        " town: Zürich, language: de, email: billing@acme.example, vat_number: CHE-107.787.577 MWST,"
        " vat_posture: reverse_charge, purchase_order: 4711, pay_by_invoice: true, auto_invoice_enabled: false,"
        " auto_reminders_enabled: true, issuer: lab, payment_days: 10"
    )
    assert entry.organisation == Organisation(
        org="310001",
        name="Acme AG",
        street="Bahnhofstrasse",
        house_number="1",
        postcode="08001",
        town="Zürich",
        language="de",
        email="billing@acme.example",
        vat_number="CHE-107.787.577 MWST",
        purchase_order="4711",
        pay_by_invoice=True,
        auto_invoice_enabled=False,
        auto_reminders_enabled=True,
        issuer="lab",
        payment_days=10,
    )
    assert entry.terms == (TermsEntry("country", None, "CH"), TermsEntry("vat_posture", None, "reverse_charge"))


def test_what_is_left_out_becomes_null() -> None:
    (entry,) = read('org: "310001", country: CH, name: null')
    assert entry.organisation == Organisation("310001")
    assert entry.terms[1] == TermsEntry("vat_posture", None, None)


@pytest.mark.parametrize("country", ["NO", "LI", "XK"])
def test_norway_is_a_country(country: str) -> None:
    """As is Kosovo, whose code the standard leaves to its users."""
    (entry,) = read(f"org: acme, country: {country}")
    assert entry.terms[0].value == country


OLD = 'org: "310001", name: Acme, country: CH, town: Bern'
BERLIN = (
    'org: "310001", from: 2026-12-01, name: Acme, country: DE, vat_posture: export, street: Torstraße, town: Berlin'
)
PARIS = 'org: "310001", from: 2027-06-01, name: Acme SA, country: FR, town: Paris'


def test_entries_of_one_organisation_give_its_terms_by_date() -> None:
    december = date(2026, 12, 1)
    later, first = read(BERLIN, OLD)
    assert (later.valid_from, first.valid_from) == (december, None)
    assert later.terms == (TermsEntry("country", december, "DE"), TermsEntry("vat_posture", december, "export"))
    assert first.terms == (TermsEntry("country", None, "CH"), TermsEntry("vat_posture", None, None))


@pytest.mark.parametrize("entries", list(itertools.permutations((OLD, BERLIN, PARIS))))
@pytest.mark.parametrize(
    ("today", "organisation"),
    [
        (date(2026, 11, 30), Organisation("310001", name="Acme", town="Bern")),
        (date(2026, 12, 1), Organisation("310001", name="Acme", street="Torstraße", town="Berlin")),
        (date(2027, 6, 1), Organisation("310001", name="Acme SA", town="Paris")),
    ],
)
def test_name_and_address_are_those_of_the_entry_in_force_whatever_the_order(
    entries: Sequence[str], today: date, organisation: Organisation
) -> None:
    assert in_force(read(*entries), today) == organisation


@pytest.mark.parametrize("entries", [(BERLIN, PARIS), (PARIS, BERLIN)])
def test_before_the_first_entry_is_in_force_it_describes_the_organisation(entries: Sequence[str]) -> None:
    assert in_force(read(*entries), date(2026, 11, 30)).town == "Berlin"


def test_of_two_entries_of_one_date_the_last_counts() -> None:
    assert in_force(read(OLD, 'org: "310001", country: CH, town: Chur'), date(2026, 11, 30)).town == "Chur"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("org: 310001, country: CH", 'org must be a string; write digits in quotes, such as "310001"'),
        ('org: "", country: CH', "org must be a string"),
        ("country: CH", "has no org, which is required"),
        ('org: "1"', "has no country, which is required"),
        ('org: "1", country: null', "must be the code of a country in two capitals (ISO 3166-1), such as CH"),
        ('org: "1", country: [CH]', "country must be text"),
        ('org: "1", country: Switzerland', "must be the code of a country"),
        ('org: "1", country: ch', "must be the code of a country"),
        ('org: "1", country: ZZ', "must be the code of a country"),
        ('org: "1", country: CH, language: rm', "must be one of de, en, fr, it or null"),
        ('org: "1", country: CH, vat_posture: none', "must be one of standard, export, reverse_charge, exempt or null"),
        ('org: "1", country: CH, pay_by_invoice: 1', "must be true or false"),
        ('org: "1", country: CH, name: "a\\nb"', "must be one line without control characters"),
        ('org: "1", country: CH, name: [a]', "name must be text"),
        ('org: "1", country: CH, vat_number: CHE-107.787.578', "vat_number must be a VAT number without a mistake"),
        ('org: "1", country: CH, nmae: a', "the key 'nmae' of orgs is not known"),
        ('org: "1", country: CH, from: soon', "from must be a date such as 2026-03-15"),
    ],
)
def test_a_mistake_is_named_with_its_line(entry: str, said: str) -> None:
    with pytest.raises(BadFile) as refused:
        read('org: "0", country: CH', entry)
    assert str(refused.value).startswith("orgs.yaml, line 3: ")
    assert said in str(refused.value)
