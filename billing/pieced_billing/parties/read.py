"""The file format of organisations (billing-rules.md, interchange formats)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pieced_billing.parties.entries import TermsEntry
from pieced_billing.parties.organisation import FIELDS, LANGUAGES, SWITCHES, TEXT_FIELDS, Organisation
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, VatPosture
from pieced_billing.yaml_file import Value, parse

_KEYS: Final = ("org", "from", COUNTRY, VAT_POSTURE, *FIELDS)
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """All that one file says of one organisation."""

    organisation: Organisation
    terms: list[TermsEntry] = field(default_factory=list)


def read_organisations(content: bytes, file: str) -> list[OrganisationEntry]:
    """The organisations of a file, each once; BadFile with the line for whatever is wrong with one.

    An organisation may have several entries that differ in `from`: each gives country and VAT posture from its date,
    and of what has no date (name, address, …) the last one that says it counts. What none says becomes null.
    """
    said: dict[str, dict[str, Any]] = {}
    terms: dict[str, list[TermsEntry]] = {}
    root = parse(content, file).mapping(("orgs",))
    for entry in root["orgs"].sequence() if "orgs" in root and not root["orgs"].is_null() else ():
        fields = entry.mapping(_KEYS)
        org = _required(entry, fields, "org").string()
        said.setdefault(org, {}).update(_organisation(fields))
        terms.setdefault(org, []).extend(_terms(entry, fields))
    return [OrganisationEntry(Organisation(org, **given), terms[org]) for org, given in said.items()]


def _organisation(fields: Mapping[str, Value]) -> dict[str, Any]:
    """What an entry says of the fields without versions."""
    given: dict[str, Any] = {}
    for name in FIELDS:
        value = fields.get(name)
        if value is None or value.is_null():
            continue
        if name in TEXT_FIELDS:
            given[name] = value.text()
        elif name in SWITCHES:
            given[name] = value.boolean()
        else:
            given[name] = _one_of(value, LANGUAGES)
    return given


def _terms(entry: Value, fields: Mapping[str, Value]) -> list[TermsEntry]:
    valid_from = fields["from"].date() if "from" in fields else None
    country = _required(entry, fields, COUNTRY)
    if not _COUNTRY.fullmatch(country.text()):
        raise country.refused("must be a country code of two capitals, such as CH")
    posture = fields.get(VAT_POSTURE)
    override = None if posture is None or posture.is_null() else _one_of(posture, tuple(VatPosture))
    return [TermsEntry(COUNTRY, valid_from, country.text()), TermsEntry(VAT_POSTURE, valid_from, override)]


def _required(entry: Value, fields: Mapping[str, Value], name: str) -> Value:
    if name not in fields:
        raise entry.refused(f"has no {name}, which is required")
    return fields[name]


def _one_of(value: Value, allowed: Collection[str]) -> str:
    text = value.text()
    if text not in allowed:
        raise value.refused(f"must be one of {', '.join(allowed)} or null")
    return text
