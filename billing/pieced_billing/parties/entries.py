"""The terms that a file of organisations gives: what of them is to be recorded (rules 7, 9 and 14)."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from pieced_billing.calendar import Month
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, PartyTerms
from pieced_billing.prices.changes import additions, refuse_finalised
from pieced_billing.prices.versions import Version


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
    is_first = not terms.country and not terms.vat_posture
    found: list[TermsEntry] = []
    for name, recorded in ((COUNTRY, terms.country), (VAT_POSTURE, terms.vat_posture)):
        values = [Version(entry.valid_from, entry.value) for entry in entries if entry.name == name]
        added = additions(recorded, values, finalised, is_first=is_first)
        refuse_finalised(name, recorded, added, finalised)
        found.extend(TermsEntry(name, *version) for version in added)
    return found
