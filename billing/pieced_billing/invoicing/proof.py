"""What a document of a finalised invoice stands on, and the hash of what is issued: by these it can be proved. Pure.

The form of both is in docs/formats.md, "What an invoice stands on": whoever has the tables can compute them anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from pieced_billing.ledger.chain import BEFORE_FIRST
from pieced_billing.money import amount_text

Usage: TypeAlias = Mapping[str, Mapping[int, Decimal]]
"""The usage of a month by meter and index of the day."""


class ChainEnd(NamedTuple):
    """Up to where a tenant's chain was read: how many links, the hash of the last one, and the last event's number."""

    links: int = 0
    head: bytes = BEFORE_FIRST
    last_seq: int = 0


class KnownVersions(NamedTuple):
    """The versions of prices, issuers or an organisation's terms that were known: the last id, and the hash of all."""

    last_id: int
    sha256: bytes

    def document(self) -> dict[str, Any]:
        """The same in JSON values."""
        return {"last": self.last_id, "sha256": self.sha256.hex()}


NO_VERSIONS: Final = KnownVersions(0, sha256().digest())


@dataclass(frozen=True, slots=True)
class Basis:
    """What bills that are made together stand on: terms by organisation, the ends of chains by tenant UID.

    `issuers` is None for bills from before their versions were kept.
    """

    zone: str
    billing_start: date | None
    prices: KnownVersions
    issuers: KnownVersions | None
    terms: Mapping[str, KnownVersions]
    ends: Mapping[str, ChainEnd]

    def of(self, org: str, usage: Mapping[str, Usage], adjusted: Collection[str]) -> "Evidence":
        """What the bill of an organisation stands on, with the usage of its month by UID; others are `adjusted`."""
        tenants = {uid: TenantEvidence(self.ends.get(uid, ChainEnd()), usage_hash(used)) for uid, used in usage.items()}
        for uid in adjusted:
            if uid not in tenants:
                tenants[uid] = TenantEvidence(self.ends.get(uid, ChainEnd()), _NO_USAGE)
        terms = self.terms.get(org, NO_VERSIONS)
        return Evidence(self.zone, self.billing_start, self.prices, self.issuers, terms, tenants)


class TenantEvidence(NamedTuple):
    """Up to where a tenant UID was read, and the hash of its usage in the month of the bill."""

    end: ChainEnd
    usage: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one bill stands on; tenants by UID."""

    zone: str
    billing_start: date | None
    prices: KnownVersions
    issuers: KnownVersions | None
    terms: KnownVersions
    tenants: Mapping[str, TenantEvidence]

    def read_to(self, uid: str) -> int:
        """How far the chain of a tenant UID was read."""
        return self.tenants[uid].end.links

    def document(self) -> dict[str, Any]:
        """The same in JSON values, as it is stored."""
        return {
            "zone": self.zone,
            "billing_start": self.billing_start,
            "prices": self.prices.document(),
            **({} if self.issuers is None else {"issuers": self.issuers.document()}),
            "terms": self.terms.document(),
            "tenants": {
                uid: {
                    "last_seq": one.end.last_seq,
                    "links": one.end.links,
                    "chain": one.end.head.hex(),
                    "usage": one.usage.hex(),
                }
                for uid, one in self.tenants.items()
            },
        }


_NO_USAGE: Final = sha256().digest()


def usage_hash(usage: Usage) -> bytes:
    """The hash of a month's usage: a line for each meter and day of the month that has some, in this order."""
    if not usage:
        return _NO_USAGE
    lines = [
        f"{meter} {index + 1} {quantity:f}\n"
        for meter in sorted(usage)
        for index, quantity in sorted(usage[meter].items())
    ]
    return sha256("".join(lines).encode()).digest()


def output_hash(columns: Sequence[Any]) -> bytes:
    """The hash of a document's row: the columns in their order as a JSON array, amounts with their two decimals."""
    return sha256(orjson.dumps(columns, default=amount_text)).digest()
