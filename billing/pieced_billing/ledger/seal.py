"""The seal of the ledger: where the chain of every tenant ended at one moment, and what is signed of it. Pure.

The heads are a file of JSON Lines, one canonical object a tenant, by UID in code points; its last line is the signed
statement. That has the SHA-256 of all lines before it, so one hash covers every head; a Merkle tree would let a single
head be proved without the others, which nobody asks for.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple, Self

import orjson

from pieced_billing.ledger.chain import Chain

KIND: Final = "ledger_seal"
"""Of the signed statement."""


class Head(NamedTuple):
    """Where the chain of a tenant UID ended; `tenant` is its name, None where there is no row that tells it."""

    uid: str
    tenant: str | None
    chain: Chain

    @classmethod
    def of(cls, line: bytes) -> Self:
        """The head that a line of a seal has."""
        entry = orjson.loads(line)
        rows = {table: int(number) for table, number in entry["rows"].items()}
        chain = Chain(int(entry["length"]), bytes.fromhex(entry["head"]), rows)
        return cls(entry["uid"], entry.get("tenant"), chain)

    def line(self) -> bytes:
        """The same as a line of a seal."""
        length, head, rows = self.chain
        fields = {"uid": self.uid, "length": str(length), "head": head.hex()}
        fields |= {} if self.tenant is None else {"tenant": self.tenant}
        entry = {**fields, "rows": {table: str(number) for table, number in rows.items()}}
        return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class Seal:
    """What is signed: how many tenants and rows there were at an instant (UTC, as text), and the hash of all heads."""

    sealed_at: str
    tenants: int
    rows: int
    heads_sha256: str

    @classmethod
    def of(cls, statement: Mapping[str, Any]) -> Self:
        """The seal that a signed statement is."""
        sealed_at, heads_sha256 = statement["sealed_at"], statement["heads_sha256"]
        return cls(sealed_at, int(statement["tenants"]), int(statement["rows"]), heads_sha256)

    def statement(self) -> dict[str, str]:
        """The same as texts, to be signed."""
        return {name: str(value) for name, value in asdict(self).items()}
