"""The value of a field on a day, from the entries of the files in the order in which they were applied."""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

Entry = Mapping[str, Any]
SINCE_EVER = date(1, 1, 1)


def in_force(entries: Sequence[Entry], field: str, day: date) -> Any:
    """The latest date wins, of several for one date the last; None where nothing is said."""
    best_from, best = None, None
    for entry in entries:
        if field not in entry:
            continue
        valid_from = entry.get("from") or SINCE_EVER
        if valid_from <= day and (best_from is None or valid_from >= best_from):
            best_from, best = valid_from, entry[field]
    return best


def price(entries: Sequence[Entry], field: str, day: date) -> Fraction | None:
    value = in_force(entries, field, day)
    return None if value is None else Fraction(str(value))


def posture(orgs: Sequence[Entry], org: str, day: date) -> str:
    own = [{"vat_posture": None, **entry} for entry in orgs if entry["org"] == org]
    override = in_force(own, "vat_posture", day)
    if override is not None:
        return str(override)
    country = in_force(own, "country", day)
    return "standard" if country in {None, "CH", "LI"} else "export"


def vat_rate(platform: Sequence[Entry], orgs: Sequence[Entry], org: str, day: date) -> Fraction:
    if posture(orgs, org, day) != "standard":
        return Fraction(0)
    rate = price(platform, "vat_rate_chli", day)
    if rate is not None:
        return rate
    return Fraction("7.7") if day <= date(2023, 12, 31) else Fraction("8.1")
