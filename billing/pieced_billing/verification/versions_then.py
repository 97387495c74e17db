"""Prices and terms as they were known when a bill was made: the versions up to one of them, and the hash of these."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from pieced_billing.invoicing.known_versions import known_prices, known_terms_then
from pieced_billing.invoicing.proof import NO_VERSIONS, KnownVersions
from pieced_billing.parties.load import terms_of
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.prices.book import PriceBook
from pieced_billing.prices.load import book_of
from pieced_billing.store.connections import Connection

_PRICES: Final = "SELECT id, recorded_at, package, field, valid_from, value FROM price_versions ORDER BY id"
_TERMS: Final = """
SELECT zitadel_org_id, id, recorded_at, field, valid_from, value FROM org_terms_versions
WHERE zitadel_org_id = ANY(%s) ORDER BY id
"""
_BOOKS: Final = 64
"""So many price books are kept at once; bills of one run have the same."""

_TermsVersion: TypeAlias = tuple[int, datetime, str, date | None, str | None]


class PricesThen:
    """The prices, by the id of the last version that was known."""

    def __init__(self, connection: Connection) -> None:
        """Read every version. What is asked for later is read in the same transaction."""
        self._connection = connection
        self._rows: list[tuple[int, datetime, str | None, str, date | None, Decimal | None]] = connection.execute(
            _PRICES
        ).fetchall()
        self.book = lru_cache(_BOOKS)(self._book)
        self.known = lru_cache(_BOOKS)(self._known)

    def last_at(self, at: datetime) -> int:
        """The id of the last version that was recorded until an instant; 0 for none."""
        return _last_at(at, ((version_id, recorded_at) for version_id, recorded_at, *_ in self._rows))

    def _book(self, last: int) -> PriceBook:
        return book_of(version for version_id, _, *version in self._rows if version_id <= last)

    def _known(self, last: int) -> KnownVersions:
        return known_prices(self._connection, last)


class TermsThen(NamedTuple):
    """The terms of one organisation: all versions, and the hash of those up to an id, for the ids that bills name."""

    versions: Sequence[_TermsVersion]
    hashes: Mapping[int, KnownVersions]

    def last_at(self, at: datetime) -> int:
        """The id of the last version that was recorded until an instant; 0 for none."""
        return _last_at(at, ((version_id, recorded_at) for version_id, recorded_at, *_ in self.versions))

    def terms(self, last: int) -> PartyTerms | None:
        """The terms up to a version; None where there are none."""
        versions = tuple((field, start, value) for one, _, field, start, value in self.versions if one <= last)
        return terms_of(versions) if versions else None

    def known(self, last: int) -> KnownVersions:
        """The versions up to one that a bill names."""
        return self.hashes.get(last, NO_VERSIONS)


def load_terms_then(connection: Connection, lasts: Mapping[str, Iterable[int]]) -> Mapping[str, TermsThen]:
    """The terms of organisations, each with the hashes up to the versions that are named."""
    versions: defaultdict[str, list[Any]] = defaultdict(list)
    for org, *version in connection.execute(_TERMS, [list(lasts)]):
        versions[org].append(tuple(version))
    pairs = [(org, last) for org, of_org in lasts.items() for last in sorted(set(of_org))]
    hashes: defaultdict[str, dict[int, KnownVersions]] = defaultdict(dict)
    for (org, last), known in known_terms_then(connection, pairs).items():
        hashes[org][last] = known
    return {org: TermsThen(versions[org], hashes[org]) for org in lasts}


def _last_at(at: datetime, versions: Iterable[tuple[int, datetime]]) -> int:
    return max((version_id for version_id, recorded_at in versions if recorded_at <= at), default=0)
