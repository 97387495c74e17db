"""`pieced ledger seal`: sign where every chain ends now, once what was sealed before was found to be there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import IsolationLevel, sql

from pieced_billing.errors import Refused, UsageError
from pieced_billing.ledger.chain import LINKED
from pieced_billing.ledger.ever_sealed import note_sealed
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.heads import heads_now, heads_then
from pieced_billing.ledger.seal import KIND, Head, Seal
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.signed_line import signed_line
from pieced_billing.store.connections import Connection

_HEADS_AT_ONCE: Final = 5000
_SHOWN: Final = 10

# A chain that has not grown is compared by its end alone. OFFSET: the rows of each other tenant by index.
_MISSED: Final = sql.SQL("""
SELECT sealed.number - 1
FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) WITH ORDINALITY AS sealed (uid, length, head, number)
WHERE NOT EXISTS (
    SELECT FROM ledger_chains AS chain
    WHERE (chain.tenant_uid, chain.length, chain.head) = (sealed.uid, sealed.length, sealed.head)
) AND NOT EXISTS (
    SELECT FROM ({rows} OFFSET 0) AS row WHERE (row.link, row.link_hash) = (sealed.length, sealed.head)
)
ORDER BY sealed.number
""").format(
    rows=sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT link, link_hash FROM {} WHERE tenant_uid = sealed.uid").format(sql.Identifier(table))
        for table in LINKED
    )
)


class Sealed(NamedTuple):
    """A seal, the line with its signature that is to be published, and the seal before, which the ledger leads to.

    `file_lost` says that this was found by what is published of it.
    """

    seal: Seal
    line: bytes
    before: Seal | None
    file_lost: bool


class SealBroken(Refused):
    """The ledger has not everything that was sealed before."""

    code = "seal_broken"

    def __init__(self, before: SealFile, missed: list[Head]) -> None:
        more = " and others" if len(missed) > _SHOWN else ""
        named = ", ".join(f"{head.tenant or 'a tenant'} ({head.uid})" for head in missed[:_SHOWN])
        super().__init__(
            f"The ledger has not everything that was sealed at {before.seal.sealed_at}, of {named}{more}; "
            f"`pieced ledger verify --seal {before.path}` names the rows. Nothing was sealed; once that is cleared up, "
            "remove the published seal and seal into another file."
        )


class NotAsPublished(Refused):
    """The ledger does not lead to the last seal, which was published and is not the one of the file."""

    code = "not_as_published"

    def __init__(self, path: Path, before: SealFile | None, published: Seal, now: Seal) -> None:
        file = f"There is no file {path}" if before is None else f"{path} is an older seal, of {before.seal.sealed_at}"
        super().__init__(
            f"{file}, and the ledger does not lead to the last one, which was published at {published.sealed_at} with "
            f"{published.rows} rows of {published.tenants} tenants; now there are {now.rows} of {now.tenants}. Nothing "
            'was sealed: put its file back, or go by docs/disaster.md, "The file of the seals is lost".'
        )


def seal_ledger(connection: Connection, key: Ed25519PrivateKey, path: Path, published: Seal | None) -> Sealed:
    """Sign the heads, which are in the file `path` afterwards, in place of those before.

    `published` is the last seal as it is known elsewhere. `connection` must not be inside a transaction. Raises
    SealBroken if the file that is there has what the ledger has not, NotAsPublished if there is none and the ledger
    does not lead to what is published, or has less, BadSeal for a file of another key, UsageError if it cannot be
    written.
    """
    if not path.name or path.is_dir() or path.is_char_device():
        raise UsageError(f"{path} cannot be written: it is no file.")
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        before = SealFile.open(path, key.public_key()) if path.exists() else None
        with new.open("wb") as file, _snapshot(connection) as now:
            if before is not None:
                _require(connection, before)
            seal = _statement(now, heads_now(connection), file)
            if published is not None and not _leads_to(connection, published, before, seal):
                raise NotAsPublished(path, before, published, seal)
            line = signed_line(KIND, seal.statement(), key)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            new.unlink()
    note_sealed(connection)
    return Sealed(seal, line, published if before is None else before.seal, file_lost=before is None)


@contextmanager
def _snapshot(connection: Connection) -> Iterator[str]:
    """One moment of the ledger, and when that was, as text: what is recorded later is not in it."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        now = connection.execute("SELECT clock_timestamp()").fetchone()
        assert now is not None
        yield instant_text(now[0])


def _require(connection: Connection, before: SealFile) -> None:
    if missed := list(islice(_missed(connection, before.heads()), _SHOWN + 1)):
        raise SealBroken(before, missed)


def _leads_to(connection: Connection, published: Seal, before: SealFile | None, now: Seal) -> bool:
    """Whether the ledger has what was published, as far as that can tell.

    With a file, which was compared already, only rows that are fewer than then can be wrong. Without one the heads of
    then are worked out anew; a transaction that was under way at that very moment makes them differ too.
    """
    if before is not None:
        return published.rows <= now.rows and published.tenants <= now.tenants
    return _statement(published.sealed_at, heads_then(connection, published.sealed_at), BytesIO()) == published


def _statement(sealed_at: str, heads: Iterator[Head], file: BinaryIO) -> Seal:
    """Write heads; returns what is to be signed of them."""
    hashed, tenants, rows = sha256(), 0, 0
    for head in heads:
        line = head.line()
        file.write(line)
        hashed.update(line)
        tenants, rows = tenants + 1, rows + head.chain.length
    return Seal(sealed_at, tenants, rows, hashed.hexdigest())


def _missed(connection: Connection, heads: Iterator[Head]) -> Iterator[Head]:
    """The sealed heads that the ledger does not lead to any more."""
    while batch := list(islice(heads, _HEADS_AT_ONCE)):
        ends = [head.chain for head in batch]
        sealed = [[head.uid for head in batch], [end.length for end in ends], [end.head for end in ends]]
        yield from (batch[index] for (index,) in connection.execute(_MISSED, sealed).fetchall())
