"""A ledger with rows in each of its tables, and hands that change them past the program."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from psycopg.types.json import Jsonb

from pieced_billing.ledger.chain import BEFORE_FIRST, LINKED, canonical, link_hash, stamp
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.ledger.linked_rows import LinkedRows
from pieced_billing.ledger.observe import observe
from pieced_billing.ledger.resume_requests import record_request
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.sealing import seal_ledger
from pieced_billing.ledger.verify import Verified, verify
from pieced_billing.store.connections import Connection, connect
from tests.databases import Database
from tests.observations import first_version, next_version

KEPT = (*LINKED, "tenant_billing_lifecycle", "ledger_chains")
STRANGE = 'a"b\\c\b\f\n\r\t\x01\x1f\x7f\u2028é€😀'

SEAL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

NOON = "2026-03-02T12:00:00.5Z"


def line(kind: str, uid: str, at: str, **fields: object) -> str:
    """A line of the interchange format, on a day of March."""
    return json.dumps({"kind": kind, "uid": uid, "at": f"2026-03-{at}", **fields})


def usage(uid: str, usage_id: str, quantity: str = "2.50", **fields: object) -> str:
    """A line of usage."""
    return line("usage", uid, "02T10:00:00Z", meter="llm_spend", quantity=quantity, id=usage_id, **fields)


LINES = [
    line("created", "i1", "01T09:00:00Z", tenant=STRANGE, org=STRANGE, cluster="c"),
    line("enabled", "i1", "01T09:00:00.25Z", package=STRANGE, manager=STRANGE),
    usage("i1", "a"),
    line("suspended", "i1", "03T00:00:00.000001+01:00", quality="bounded", generation=2**63 - 1, not_before=NOON),
    usage("i1", STRANGE, "-0.5", corrects="a"),
    line("resumed", "i1", "04T00:00:00Z"),
    line("disabled", "i1", "05T00:00:00Z", package=STRANGE),
    line("deleted", "i1", "20T12:00:00Z"),
    line("created", "i2", "01T09:00:00Z", tenant="bergbahn", org="310002"),
]


def bring(connection: Connection, lines: list[str]) -> None:
    """Import lines, in a transaction of its own."""
    with connection.transaction():
        import_lines(connection, io.BytesIO("\n".join(lines).encode()))


def fill(database: Database) -> None:
    """Record something in every table: imported tenants i1 and i2, observed ones u1 and u2."""
    with connect(database.url) as connection:
        bring(connection, LINES)
        seen = first_version(packages=frozenset({"search", "threema"}))
        observe(connection, seen)
        for packages, suspended in (({"search"}, True), ({"search", "mail"}, False), (set(), False)):
            seen = next_version(seen, packages=frozenset(packages), suspended=suspended)
            observe(connection, seen)
        observe(connection, next_version(seen, generation=seen.generation + 3))  # a gap: a discontinuity
        observe(connection, first_version("u2", "seilbahn"))
        for uid, tenant in (("u1", "acme"), ("u2", "seilbahn")):
            with connection.transaction():
                record_request(connection, uid, tenant, "somebody@example", "please")
        bring(connection, [usage("u1", "late"), usage("u1", "later")])


def verified(database: Database, sealed: SealFile | None = None) -> Verified:
    """What a verification finds now, against a seal if there is one."""
    with connect(database.url) as connection:
        return verify(connection, sealed)


def seal(database: Database, path: Path) -> SealFile:
    """Seal the ledger into a file; nothing is published."""
    with connect(database.url) as connection:
        seal_ledger(connection, SEAL_KEY, path, None)
    return SealFile.open(path, SEAL_KEY.public_key())


def private_key_file(folder: Path) -> Path:
    """The key of `seal`, as a command reads it."""
    path = folder / "private.pem"
    path.write_bytes(SEAL_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@contextmanager
def tampering(database: Database) -> Iterator[psycopg.Connection]:
    """A connection of the owner of the tables, with their triggers off while it is used."""
    with psycopg.connect(database.owner_url) as owner:
        for switch in ("DISABLE", "ENABLE"):
            for table in KEPT:
                owner.execute(f"ALTER TABLE {table} {switch} TRIGGER USER".encode())
            if switch == "DISABLE":
                yield owner


def tamper(database: Database, statement: LiteralString) -> None:
    """Run one statement past all triggers; it must have changed something."""
    with tampering(database) as owner:
        assert owner.execute(statement).rowcount != 0


def compute_anew(owner: psycopg.Connection, uid: str) -> None:
    """Link a tenant's rows as they are now, with the end of the chain and the stamp, as an owner of the tables can."""
    owner.execute("SET TimeZone TO 'UTC'")
    ledger = LinkedRows(owner)
    (subject,) = [one for batch in list(ledger.subjects()) for one in batch if one.uid == uid]
    ((_, rows),) = [(one, list(entries)) for one, entries in ledger.entries([subject])]
    head, tables = BEFORE_FIRST, Counter(entry.fields["table"] for entry in rows)
    for link, entry in enumerate(rows, 1):
        head = link_hash(head, entry.content)
        update = f"UPDATE {entry.fields['table']} SET link = %s, link_hash = %s WHERE (tenant_uid, link) = (%s, %s)"
        owner.execute(update.encode(), [link, head, uid, entry.link])
    owner.execute(
        "UPDATE ledger_chains SET length = %s, head = %s, rows = %s WHERE tenant_uid = %s",
        [len(rows), head, Jsonb(tables), uid],
    )
    if subject.row is not None:
        owner.execute(
            "UPDATE tenant_billing_lifecycle SET stamp = %s WHERE tenant_uid = %s",
            [stamp(canonical(subject.row)), uid],
        )
