"""The file format of organisations (billing-rules.md, interchange formats)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pieced_billing.parties.countries import UNKNOWN, postal_countries
from pieced_billing.parties.entries import TermsEntry
from pieced_billing.parties.organisation import (
    FIELDS,
    LANGUAGES,
    LONGEST_PAYMENT_DAYS,
    SWITCHES,
    TEXT_FIELDS,
    Organisation,
)
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, VatPosture
from pieced_billing.parties.vat_number import MISTYPED, vat_number
from pieced_billing.yaml_file import Value, parse

FROM: Final = "from"
_KEYS: Final = ("org", FROM, COUNTRY, VAT_POSTURE, *FIELDS)


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """What one entry of a file says of an organisation, in full, from a date on or since ever."""

    valid_from: date | None
    organisation: Organisation
    terms: tuple[TermsEntry, TermsEntry]


def read_organisations(content: bytes, file: str) -> list[OrganisationEntry]:
    """The entries of a file in their order; BadFile with the line for whatever is wrong with one.

    An organisation may have several, which differ in `from`. What an entry leaves out is null.
    """
    root = parse(content, file).mapping(("orgs",))
    entries = root["orgs"].sequence() if "orgs" in root and not root["orgs"].is_null() else []
    return [_entry(entry) for entry in entries]


def _entry(entry: Value) -> OrganisationEntry:
    fields = entry.mapping(_KEYS)
    org = _required(entry, fields, "org").string()
    valid_from = fields[FROM].date() if FROM in fields else None
    return OrganisationEntry(valid_from, Organisation(org, **_organisation(fields)), _terms(entry, fields, valid_from))


def _organisation(fields: Mapping[str, Value]) -> dict[str, Any]:
    """What an entry says of the fields without versions."""
    given: dict[str, Any] = {}
    for name in FIELDS:
        value = fields.get(name)
        if value is None or value.is_null():
            continue
        if name == "vat_number":
            given[name] = _vat_number(value)
        elif name in TEXT_FIELDS:
            given[name] = value.text()
        elif name in SWITCHES:
            given[name] = value.boolean()
        elif name == "payment_days":
            given[name] = int(value.number(0, Decimal(LONGEST_PAYMENT_DAYS)))
        else:
            given[name] = _one_of(value, LANGUAGES)
    return given


def _vat_number(value: Value) -> str:
    if (number := vat_number(value.text())) is None:
        raise value.refused(MISTYPED)
    return number


def _terms(entry: Value, fields: Mapping[str, Value], valid_from: date | None) -> tuple[TermsEntry, TermsEntry]:
    country = _required(entry, fields, COUNTRY)
    if country.is_null() or country.text() not in postal_countries():
        raise country.refused(UNKNOWN)
    posture = fields.get(VAT_POSTURE)
    override = None if posture is None or posture.is_null() else _one_of(posture, tuple(VatPosture))
    return TermsEntry(COUNTRY, valid_from, country.text()), TermsEntry(VAT_POSTURE, valid_from, override)


def _required(entry: Value, fields: Mapping[str, Value], name: str) -> Value:
    if name not in fields:
        raise entry.refused(f"has no {name}, which is required")
    return fields[name]


def _one_of(value: Value, allowed: Collection[str]) -> str:
    text = value.text()
    if text not in allowed:
        raise value.refused(f"must be one of {', '.join(allowed)} or null")
    return text
