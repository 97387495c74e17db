"""The file format of organisations."""

from datetime import date

import pytest

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
        " auto_reminders_enabled: true"
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
    )
    assert entry.terms == [TermsEntry("country", None, "CH"), TermsEntry("vat_posture", None, "reverse_charge")]


def test_what_is_left_out_becomes_null() -> None:
    (entry,) = read('org: "310001", country: CH, name: null')
    assert entry.organisation == Organisation("310001")
    assert entry.terms[1] == TermsEntry("vat_posture", None, None)


def test_norway_is_a_country() -> None:
    (entry,) = read("org: acme, country: NO")
    assert entry.terms[0].value == "NO"


def test_entries_of_one_organisation_give_its_terms_by_date() -> None:
    (entry,) = read(
        'org: "310001", from: 2026-12-01, country: DE, vat_posture: export',
        'org: "310001", name: Acme, country: CH',
    )
    december = date(2026, 12, 1)
    assert entry.organisation == Organisation("310001", name="Acme")
    assert entry.terms == [
        TermsEntry("country", december, "DE"),
        TermsEntry("vat_posture", december, "export"),
        TermsEntry("country", None, "CH"),
        TermsEntry("vat_posture", None, None),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("org: 310001, country: CH", 'org must be a string; write digits in quotes, such as "310001"'),
        ('org: "", country: CH', "org must be a string"),
        ("country: CH", "has no org, which is required"),
        ('org: "1"', "has no country, which is required"),
        ('org: "1", country: null', "country must be text"),
        ('org: "1", country: Switzerland', "must be a country code of two capitals, such as CH"),
        ('org: "1", country: ch', "must be a country code"),
        ('org: "1", country: CH, language: rm', "must be one of de, en, fr, it or null"),
        ('org: "1", country: CH, vat_posture: none', "must be one of standard, export, reverse_charge, exempt or null"),
        ('org: "1", country: CH, pay_by_invoice: 1', "must be true or false"),
        ('org: "1", country: CH, name: "a\\nb"', "must be one line without control characters"),
        ('org: "1", country: CH, name: [a]', "name must be text"),
        ('org: "1", country: CH, nmae: a', "the key 'nmae' of orgs is not known"),
        ('org: "1", country: CH, from: soon', "from must be a date such as 2026-03-15"),
    ],
)
def test_a_mistake_is_named_with_its_line(entry: str, said: str) -> None:
    with pytest.raises(BadFile) as refused:
        read('org: "0", country: CH', entry)
    assert str(refused.value).startswith("orgs.yaml, line 3: ")
    assert said in str(refused.value)
