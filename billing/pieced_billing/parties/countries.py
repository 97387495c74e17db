"""Countries by their codes (ISO 3166-1 alpha-2), as the time zone database lists them."""

from functools import cache
from importlib.resources import files
from typing import Final

UNKNOWN: Final = "must be the code of a country in two capitals (ISO 3166-1), such as CH"
_KOSOVO: Final = "XK"
"""No code of the standard, which leaves it to its users: Swiss post and banks have it."""


@cache
def countries() -> frozenset[str]:
    """The codes of the standard, which are what other programs know."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[0] for line in table.splitlines() if line and not line.startswith("#"))


@cache
def postal_countries() -> frozenset[str]:
    """The codes that an address can have."""
    return countries() | {_KOSOVO}


@cache
def vat_prefixes() -> frozenset[str]:
    """What VAT numbers begin with: the code of a country, except in Greece and Northern Ireland."""
    return countries() | {"EL", "XI"}
