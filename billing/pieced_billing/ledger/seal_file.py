"""A file of sealed heads, believed only if its signature is good and the heads are those that were signed."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pieced_billing.errors import UsageError
from pieced_billing.ledger.seal import KIND, Head, Seal
from pieced_billing.ledger.signed_line import BadSeal, verified_statement


@dataclass(frozen=True, slots=True)
class SealFile:
    """A file whose seal was verified when it was opened."""

    path: Path
    seal: Seal

    @classmethod
    def open(cls, path: Path, key: Ed25519PublicKey) -> Self:
        """Verify a file; raises UsageError when it cannot be read and BadSeal when it cannot be believed."""
        hashed, heads, last = sha256(), -1, b""
        try:
            with path.open("rb") as file:
                for line in file:
                    hashed.update(last)
                    heads, last = heads + 1, line
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
        seal = Seal.of(verified_statement(KIND, last, key, f"The last line of {path}"))
        if (hashed.hexdigest(), heads) != (seal.heads_sha256, seal.tenants):
            raise BadSeal(f"{path} was changed: its lines are not those that were sealed at {seal.sealed_at}.")
        return cls(path, seal)

    def heads(self) -> Iterator[Head]:
        """The heads, by UID in code points."""
        with self.path.open("rb") as file:
            yield from map(Head.of, islice(file, self.seal.tenants))
