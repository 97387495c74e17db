"""The certificate: a signed statement of which numbers there are, without gaps, and of what stands under them. Pure.

The statement (ledger/signed_line.py) is of the kind `invoice_certificate`; docs/formats.md has its fields.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pieced_billing.invoicing.issued import Numbering
from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.signed_line import BadSeal, signed_line, verified_statement
from pieced_billing.verification.differences import Difference

KIND: Final = "invoice_certificate"
_NUMBER: Final = re.compile(r"-([0-9]+)-([0-9]+)$")


class Issued:
    """The hashes of the rows of issued documents, by series and number."""

    def __init__(self) -> None:
        self.hashes: dict[NumberSeries, dict[int, bytes]] = {}

    def add(self, row: Mapping[str, Any], row_hash: bytes) -> None:
        """Count a document; one whose number is no number of a series counts for none."""
        written = _NUMBER.search(row["number"])
        if written is not None:
            series = NumberSeries(row["issuing_entity"], row["series"], int(written[1]))
            self.hashes.setdefault(series, {})[int(written[2])] = row_hash

    def update(self, other: "Issued") -> None:
        """Count the documents of another."""
        for series, hashes in other.hashes.items():
            self.hashes.setdefault(series, {}).update(hashes)

    def digest(self, series: NumberSeries, last: int) -> str:
        """The SHA-256 of a line `NUMBER HASH` for each document up to a number, ascending."""
        hashes = self.hashes.get(series, {})
        lines = (f"{number} {hashes[number].hex()}\n" for number in sorted(hashes) if number <= last)
        return sha256("".join(lines).encode()).hexdigest()


class Certified(NamedTuple):
    """A series: its numbers go from 1 to `last` without gaps but `holes`, and the documents are those of a digest."""

    last: int
    holes: str
    digest: str


class Certificate(NamedTuple):
    """What is certified of the database of an id, at an instant in UTC."""

    made_at: str
    database: UUID
    documents: int
    unproved: int
    series: Mapping[NumberSeries, Certified]

    @classmethod
    def of(
        cls, at: datetime, database: UUID, counts: tuple[int, int], numberings: Sequence[Numbering], issued: Issued
    ) -> Self:
        """The certificate of documents that were verified; `counts` are how many, and how many without a proof."""
        series = {
            one.series: Certified(
                one.last_number,
                " ".join(f"{hole.numbers.first}..{hole.numbers.last}" for hole in one.holes),
                issued.digest(one.series, one.last_number),
            )
            for one in numberings
            if one.last_number is not None
        }
        return cls(instant_text(at), database, *counts, series)

    @classmethod
    def opened(cls, line: bytes, key: Ed25519PublicKey, source: str) -> Self:
        """The certificate of a signed line; BadSeal, which calls it `source`, for any other."""
        statement = verified_statement(KIND, line, key, source)
        try:
            series = {
                _series(name): Certified(int(last), statement["holes"][name], statement["sha256"][name])
                for name, last in statement["last"].items()
            }
            documents, unproved = int(statement["documents"]), int(statement["unproved"])
            return cls(statement["made_at"], UUID(statement["database"]), documents, unproved, series)
        except (KeyError, AttributeError, ValueError):
            raise BadSeal(f"{source} does not say which numbers of which database there are.") from None

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """The same as a signed line."""
        named = {" ".join(map(str, series)): one for series, one in self.series.items()}
        fields = {
            "made_at": self.made_at,
            "database": str(self.database),
            "documents": str(self.documents),
            "unproved": str(self.unproved),
            "last": {name: str(one.last) for name, one in named.items()},
            "holes": {name: one.holes for name, one in named.items()},
            "sha256": {name: one.digest for name, one in named.items()},
        }
        return signed_line(KIND, fields, key)

    def broken(self, now: "Certificate", issued: Issued) -> Iterator[Difference]:
        """What was certified and is not so any more, by the certificate of now and the documents of now."""
        if self.database != now.database:
            yield Difference("", None, "database", str(now.database), str(self.database))
        for series, then in self.series.items():
            what = f"{series.series} {series.year} of {series.issuing_entity}, certified at {self.made_at}"
            last = now.series[series].last if series in now.series else 0
            if last < then.last:
                yield Difference("", None, f"{what}: last number", str(last), str(then.last))
            digest = issued.digest(series, then.last)
            if digest != then.digest:
                yield Difference("", None, f"{what}: documents 1 to {then.last}", digest, then.digest)


def _series(name: str) -> NumberSeries:
    issuing_entity, series, year = name.rsplit(" ", 2)
    return NumberSeries(issuing_entity, series, int(year))
