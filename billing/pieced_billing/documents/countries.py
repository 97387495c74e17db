"""The countries that other programs know (ISO 3166-1 alpha-2), as the time zone database lists them."""

from functools import cache
from importlib.resources import files


@cache
def countries() -> frozenset[str]:
    """The codes of all countries."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[0] for line in table.splitlines() if line and not line.startswith("#"))


@cache
def vat_prefixes() -> frozenset[str]:
    """What VAT numbers begin with: the code of a country, except in Greece and Northern Ireland."""
    return countries() | {"EL", "XI"}
