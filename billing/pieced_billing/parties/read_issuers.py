"""The file format of those who issue invoices (formats.md, issuers)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pieced_billing.parties.countries import UNKNOWN, postal_countries
from pieced_billing.parties.iban import BadIban, swiss_iban
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.issuing_terms import IssuingTerms
from pieced_billing.parties.organisation import LONGEST_PAYMENT_DAYS
from pieced_billing.parties.payment_text import UnfitText, payment_text
from pieced_billing.parties.postal_address import LIMITS, PostalAddress, postal_address
from pieced_billing.parties.vat_number import MISTYPED, vat_number
from pieced_billing.yaml_file import Value, parse

DEFAULT_ACCENT: Final = "#1f3a5f"
_TERMS: Final = ("invoice_prefix", "credit_note_prefix", "number_digits", "payment_days", "minimum_amount_chf")
_KEYS: Final = ("issuer", *LIMITS, "iban", "vat_number", "email", "accent_colour", "logo", *_TERMS)
_PREFIX: Final = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_DIGITS: Final = range(4, 10)
_LARGEST_MINIMUM: Final = Decimal("99999999.99")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


def read_issuers(content: bytes, file: str) -> list[tuple[Value, IssuingEntity]]:
    """The entries of a file, each with its place; BadFile with the line for whatever is wrong with one."""
    root = parse(content, file).mapping(("issuers",))
    entries = root["issuers"].sequence() if "issuers" in root and not root["issuers"].is_null() else []
    return [(entry, _issuer(entry)) for entry in entries]


def _issuer(entry: Value) -> IssuingEntity:
    fields = {name: value for name, value in entry.mapping(_KEYS).items() if not value.is_null()}
    for name in ("issuer", "name", "postcode", "town", "country", "iban"):
        if name not in fields:
            raise entry.refused(f"has no {name}, which is required")
    return IssuingEntity(
        terms=_issuing_terms(fields),
        address=_address(entry, fields),
        iban=_iban(fields["iban"]),
        vat_number=_vat_number(fields),
        email=_line(fields, "email"),
        accent_colour=_colour(fields["accent_colour"]) if "accent_colour" in fields else DEFAULT_ACCENT,
        logo=fields["logo"].block() if "logo" in fields else None,
    )


def _issuing_terms(fields: Mapping[str, Value]) -> IssuingTerms:
    """How it issues; what an entry leaves out is as for anybody."""
    given: dict[str, Any] = {name: _prefix(fields[name]) for name in _TERMS[:2] if name in fields}
    if "number_digits" in fields:
        given["number_digits"] = _digits(fields["number_digits"])
    if "payment_days" in fields:
        given["payment_days"] = int(fields["payment_days"].number(0, Decimal(LONGEST_PAYMENT_DAYS)))
    if "minimum_amount_chf" in fields:
        given["minimum_amount"] = fields["minimum_amount_chf"].number(2, _LARGEST_MINIMUM)
    return IssuingTerms(fields["issuer"].string(), **given)


def _prefix(value: Value) -> str:
    prefix = value.text()
    if not _PREFIX.fullmatch(prefix):
        raise value.refused("must be a capital letter and up to 7 more capitals or digits, such as INV")
    return prefix


def _digits(value: Value) -> int:
    digits = int(value.number(0, Decimal(99)))
    if digits not in _DIGITS:
        raise value.refused(f"must be {_DIGITS[0]} to {_DIGITS[-1]}")
    return digits


def _address(entry: Value, fields: Mapping[str, Value]) -> PostalAddress:
    if fields["country"].text() not in postal_countries():
        raise fields["country"].refused(UNKNOWN)
    try:
        address = postal_address({name: fields[name].text() for name in LIMITS if name in fields})
    except UnfitText as refusal:
        raise entry.refused(f"cannot be printed: {str(refusal).rstrip('.')}") from None
    if address is None:
        raise entry.refused("has an empty name, postcode or town")
    return address


def _iban(value: Value) -> str:
    try:
        return swiss_iban(value.text())
    except BadIban:
        raise value.refused(
            "must be an IBAN of Switzerland or Liechtenstein, such as CH93 0076 2011 6238 5295 7"
        ) from None


def _line(fields: Mapping[str, Value], name: str) -> str | None:
    if name not in fields:
        return None
    try:
        return payment_text(name, fields[name].text(), LIMITS["name"]) or None
    except UnfitText as refusal:
        raise fields[name].refused(f"cannot be printed: {str(refusal).rstrip('.')}") from None


def _vat_number(fields: Mapping[str, Value]) -> str | None:
    if (line := _line(fields, "vat_number")) is None:
        return None
    if (number := vat_number(line)) is None:
        raise fields["vat_number"].refused(MISTYPED)
    return number


def _colour(value: Value) -> str:
    colour = value.text().lower()
    if not _COLOUR.fullmatch(colour):
        raise value.refused('must be a colour in quotes, such as "#1f3a5f"')
    return colour
