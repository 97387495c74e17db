"""`pieced ledger seal`: sign where every chain ends now, once what was sealed before was found to be there."""

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import IsolationLevel, sql

from pieced_billing.errors import Refused, UsageError
from pieced_billing.ledger.chain import LINKED, Chain
from pieced_billing.ledger.ever_sealed import note_sealed
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.seal import KIND, Head, Seal
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.signed_line import signed_line
from pieced_billing.store.connections import Connection

_HEADS_AT_ONCE: Final = 5000
_SHOWN: Final = 10

_HEADS: Final = """
SELECT chain.tenant_uid, tenant_name, length, head, rows
FROM ledger_chains AS chain LEFT JOIN tenant_billing_lifecycle USING (tenant_uid)
WHERE length > 0 ORDER BY chain.tenant_uid COLLATE "C"
"""

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
    """A seal, the line with its signature that is to be published, and the seal whose heads it was compared with."""

    seal: Seal
    line: bytes
    before: Seal | None


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


class NotTheLastSeal(Refused):
    """What the ledger was last sealed with is not at hand, and what is published does not replace it."""

    code = "not_the_last_seal"

    def __init__(self, path: Path, before: SealFile | None, published: Seal, now: Seal) -> None:
        file = f"There is no file {path}" if before is None else f"{path} is an older seal, of {before.seal.sealed_at}"
        super().__init__(
            f"{file}, and the last one, published at {published.sealed_at}, is of {published.rows} rows of "
            f"{published.tenants} tenants; now there are {now.rows} of {now.tenants}. Nothing was sealed: put its file "
            'back, or, if that is lost, go by docs/disaster.md, "The file of the seals is lost".'
        )


def seal_ledger(connection: Connection, key: Ed25519PrivateKey, path: Path, published: Seal | None) -> Sealed:
    """Sign the heads, which are in the file `path` afterwards, in place of those before.

    `published` is the last seal as it is known elsewhere. `connection` must not be inside a transaction. Raises
    SealBroken if the file that is there has what the ledger has not, NotTheLastSeal if there is none although there was
    a seal or if that has more than the ledger, BadSeal for a file of another key, UsageError if it cannot be written.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        before = SealFile.open(path, key.public_key()) if path.exists() else None
        sealed = _write(connection, key, before, new)
        if published is not None and (before is None or _is_more(published, sealed.seal)):
            raise NotTheLastSeal(path, before, published, sealed.seal)
        new.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            new.unlink()
    note_sealed(connection)
    return sealed


def _is_more(published: Seal, now: Seal) -> bool:
    """Whether rows are lost by their number alone: chains only grow."""
    return published.rows > now.rows or published.tenants > now.tenants


def _write(connection: Connection, key: Ed25519PrivateKey, before: SealFile | None, new: Path) -> Sealed:
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with new.open("wb") as file, connection.transaction():
        if before is not None and (missed := list(islice(_missed(connection, before.heads()), _SHOWN + 1))):
            raise SealBroken(before, missed)
        seal = _write_heads(connection, file)
        line = signed_line(KIND, seal.statement(), key)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return Sealed(seal, line, None if before is None else before.seal)


def _write_heads(connection: Connection, file: BinaryIO) -> Seal:
    """Write the heads as one moment shows them."""
    hashed, tenants, rows = sha256(), 0, 0
    for head in _heads(connection):
        line = head.line()
        file.write(line)
        hashed.update(line)
        tenants, rows = tenants + 1, rows + head.chain.length
    # After the snapshot was taken: what is recorded later than this is in no head.
    now = connection.execute("SELECT clock_timestamp()").fetchone()
    assert now is not None
    return Seal(instant_text(now[0]), tenants, rows, hashed.hexdigest())


def _heads(connection: Connection) -> Iterator[Head]:
    with connection.cursor("heads") as cursor:
        cursor.itersize = _HEADS_AT_ONCE
        for uid, tenant, length, head, rows in cursor.execute(_HEADS):
            yield Head(uid, tenant, Chain(length, head, rows))


def _missed(connection: Connection, heads: Iterator[Head]) -> Iterator[Head]:
    """The sealed heads that the ledger does not lead to any more."""
    while batch := list(islice(heads, _HEADS_AT_ONCE)):
        ends = [head.chain for head in batch]
        sealed = [[head.uid for head in batch], [end.length for end in ends], [end.head for end in ends]]
        yield from (batch[index] for (index,) in connection.execute(_MISSED, sealed).fetchall())
