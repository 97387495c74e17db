"""A file of sealed heads, believed only if its signature is good and the heads are those that were signed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pieced_billing.errors import UsageError
from pieced_billing.ledger.seal import KIND, Head, Seal
from pieced_billing.ledger.signed_line import BadSeal, verified_statement


class NoSealFile(UsageError):
    """There is no file of that name."""


@dataclass(frozen=True, slots=True)
class SealFile:
    """What a file had when its seal was verified, some 300 bytes a tenant. Who changes it later changes nothing."""

    path: Path
    seal: Seal
    lines: bytes = field(repr=False)

    @classmethod
    def open(cls, path: Path, key: Ed25519PublicKey) -> Self:
        """Verify a file; raises NoSealFile, UsageError if it cannot be read, BadSeal if it cannot be believed."""
        try:
            content = path.read_bytes()
        except OSError as error:
            kind = NoSealFile if isinstance(error, FileNotFoundError) else UsageError
            raise kind(f"{path} cannot be read: {error.strerror}.") from None
        end = content.rfind(b"\n", 0, -1) + 1
        lines, last = content[:end], content[end:]
        seal = Seal.of(verified_statement(KIND, last, key, f"The last line of {path}"))
        if (sha256(lines).hexdigest(), lines.count(b"\n")) != (seal.heads_sha256, seal.tenants):
            raise BadSeal(f"{path} was changed: its lines are not those that were sealed at {seal.sealed_at}.")
        return cls(path, seal, lines)

    def heads(self) -> Iterator[Head]:
        """The heads, by UID in code points."""
        return map(Head.of, BytesIO(self.lines))
