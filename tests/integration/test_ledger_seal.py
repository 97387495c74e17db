"""What only a seal can find in a real database: ends of chains that were taken away or computed anew."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pieced_billing.ledger.chain import LINKED
from pieced_billing.ledger.observe import observe
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.sealing import SealBroken
from pieced_billing.store.connections import connect
from tests.chained import (
    KEPT,
    bring,
    compute_anew,
    line,
    seal,
    tamper,
    tampering,
    usage,
    verified,
)
from tests.databases import Database, DatabaseServers
from tests.observations import first_version

Found = list[tuple[str, str, str | None, str, int | None, int | None]]


def found(database: Database, against: SealFile | None) -> Found:
    """What a verification finds: what, table, tenant, UID, sequence number and link."""
    findings = verified(database, against).findings
    return [(one.flaw.what, one.flaw.table, one.tenant, one.uid, one.flaw.seq, one.flaw.link) for one in findings]


def numbered(database: Database, uid: str) -> list[tuple[str, int | None, int]]:
    """The rows of a tenant: table, sequence number, link."""
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, (to_jsonb(row) ->> 'seq')::bigint, link FROM {} AS row WHERE tenant_uid = %(uid)s").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in LINKED
    )
    with psycopg.connect(database.owner_url) as owner:
        return sorted(owner.execute(query, {"uid": uid}).fetchall(), key=lambda row: row[2])


def test_a_seal_counts_what_is_there_and_the_ledger_leads_to_it(filled: Database, sealed: SealFile) -> None:
    done = verified(filled, sealed)
    assert (sealed.seal.tenants, sealed.seal.rows) == (done.tenants, done.rows) == (4, done.rows)
    assert done.rows > 20
    assert {head.uid: head.tenant for head in sealed.heads()}["u1"] == "acme"
    assert [head.chain.length for head in sealed.heads() if head.uid == "u1"] == [len(numbered(filled, "u1"))]
    assert (done.found, done.sealed_at) == (0, sealed.seal.sealed_at)


def test_what_is_recorded_after_a_seal_is_fine_and_in_the_next_one(filled: Database, sealed: SealFile) -> None:
    with connect(filled.url) as connection:
        bring(connection, [usage("u1", "new"), line("created", "i0", "03T09:00:00Z", tenant="before", org="1")])
        observe(connection, first_version("u3", "dampfbahn"))
    assert found(filled, sealed) == []
    again = seal(filled, sealed.path)
    assert (again.seal.tenants, again.seal.rows) == (sealed.seal.tenants + 2, sealed.seal.rows + 3)
    assert found(filled, again) == []


def test_a_tail_that_was_cut_with_the_end_of_its_chain_is_named(filled: Database, sealed: SealFile) -> None:
    *_, late, later = numbered(filled, "u1")
    with tampering(filled) as owner:
        owner.execute("DELETE FROM usage_records WHERE tenant_uid = 'u1' AND link >= %s", [late[2]])
        compute_anew(owner, "u1")
    assert found(filled, None) == []
    assert found(filled, sealed) == [
        ("truncated", "usage_records", "acme", "u1", None, link) for _, _, link in (late, later)
    ]


def test_a_tail_that_was_cut_is_named_once(filled: Database, sealed: SealFile) -> None:
    tamper(filled, "DELETE FROM usage_records WHERE tenant_uid = 'u1'")
    alone = found(filled, None)
    assert len(alone) == 2
    assert found(filled, sealed) == alone


def test_a_chain_that_was_computed_anew_is_named(filled: Database, sealed: SealFile) -> None:
    """The tenant is moved to another organisation, with all that tells of it."""
    with tampering(filled) as owner:
        for table in ("tenant_lifecycle_events", "tenant_billing_lifecycle"):
            owner.execute(f"UPDATE {table} SET zitadel_org_id = '999999' WHERE tenant_uid = 'u1'".encode())
        compute_anew(owner, "u1")
    assert found(filled, None) == []
    table, seq, link = numbered(filled, "u1")[-1]
    assert found(filled, sealed) == [("rewritten", table, "acme", "u1", seq, link)]


def test_a_tenant_that_was_taken_out_of_every_table_is_named_row_by_row(filled: Database, sealed: SealFile) -> None:
    rows = numbered(filled, "u1")
    with tampering(filled) as owner:
        for table in KEPT:
            owner.execute(sql.SQL("DELETE FROM {} WHERE tenant_uid = 'u1'").format(sql.Identifier(table)))
    assert found(filled, None) == []
    findings = found(filled, sealed)
    assert {(tenant, uid) for _, _, tenant, uid, *_ in findings} == {("acme", "u1")}
    assert findings[-1][:2] == ("deleted", "tenant_billing_lifecycle")
    assert len(findings) == len(rows) + 1
    assert sorted(seq for *_, seq, _ in findings if seq is not None) == sorted(
        seq for _, seq, _ in rows if seq is not None
    )


@pytest.fixture
def restored(filled: Database, database_servers: DatabaseServers, server_name: str) -> Iterator[Database]:
    """A backup of it, put back."""
    with database_servers.copied(server_name, filled) as copy:
        yield copy


@pytest.mark.both_servers
def test_what_a_restored_backup_lacks_is_named_whatever_was_recorded_since(
    filled: Database, restored: Database, tmp_path: Path
) -> None:
    left = {uid: len(numbered(filled, uid)) for uid in ("u1", "u2")}
    with connect(filled.url) as connection:
        bring(connection, [line("enabled", "u2", "05T09:00:00Z", package=package) for package in ("mail", "search")])
        bring(connection, [usage("u1", "lost")])
        bring(connection, [line("created", "i9", "03T09:00:00Z", tenant="lost", org="1")])
    sealed = seal(filled, tmp_path / "ledger.jsonl")
    seqs = [seq for _, seq, _ in numbered(filled, "u2") if seq is not None]
    expected = [
        ("truncated", "tenant_lifecycle_events", "lost", "i9", 1, 1),
        ("deleted", "tenant_billing_lifecycle", "lost", "i9", None, None),
        ("truncated", "usage_records", "acme", "u1", None, left["u1"] + 1),
        ("truncated", "tenant_skill_events", "seilbahn", "u2", seqs[-2], left["u2"] + 1),
        ("truncated", "tenant_skill_events", "seilbahn", "u2", seqs[-1], left["u2"] + 2),
    ]
    assert found(restored, None) == []
    assert found(restored, sealed) == expected

    before = sealed.path.read_bytes()
    with pytest.raises(SealBroken, match=r"of lost \(i9\), acme \(u1\), seilbahn \(u2\); `pieced ledger verify --seal"):
        seal(restored, sealed.path)
    assert sealed.path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [sealed.path]

    with connect(restored.url) as connection:
        bring(connection, [usage("u1", "new"), line("disabled", "u2", "07T09:00:00Z", package="search")])
        bring(connection, [usage("u2", str(number)) for number in range(3)])
    assert found(restored, None) == []
    assert found(restored, sealed) == expected
