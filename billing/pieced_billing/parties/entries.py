"""The terms that a file of organisations gives: what of them is to be recorded (rules 7, 9 and 14)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, PartyTerms
from pieced_billing.prices.changes import additions, later_start, refuse_finalised
from pieced_billing.prices.versions import Version, Versions


class TermsEntry(NamedTuple):
    """A value for `country` or `vat_posture` of one organisation; without a date, since ever."""

    name: str
    valid_from: date | None
    value: str | None


def terms_additions(terms: PartyTerms, entries: Sequence[TermsEntry], finalised: Collection[Month]) -> list[TermsEntry]:
    """What to record so that the terms of one organisation say what the entries of a file say.

    `finalised` are the months finalised for this organisation. A first value without a date comes back with the date
    from which it holds. Raises `PeriodFinalised`.
    """
    found: list[TermsEntry] = []
    for name, recorded, values in _by_field(terms, entries):
        added = additions(recorded, values, finalised, is_first=_is_first(terms))
        refuse_finalised(name, recorded, added, finalised)
        found.extend(TermsEntry(name, *version) for version in added)
    return found


def later_starts(terms: PartyTerms, entries: Sequence[TermsEntry], finalised: Collection[Month]) -> list[TermsEntry]:
    """The entries without a date that cannot hold since ever, with the date from which they hold (rules 7 and 9)."""
    found: list[TermsEntry] = []
    for name, recorded, values in _by_field(terms, entries):
        start = later_start(recorded, values, finalised, is_first=_is_first(terms))
        if start is not None:
            found.append(TermsEntry(name, start, dict(values)[None]))
    return found


def _by_field(
    terms: PartyTerms, entries: Sequence[TermsEntry]
) -> Iterator[tuple[str, Versions[str], list[Version[str]]]]:
    for name, recorded in ((COUNTRY, terms.country), (VAT_POSTURE, terms.vat_posture)):
        yield name, recorded, [Version(entry.valid_from, entry.value) for entry in entries if entry.name == name]


def _is_first(terms: PartyTerms) -> bool:
    """Whether nothing was ever said of the organisation."""
    return not terms.country and not terms.vat_posture
