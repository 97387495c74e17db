"""What only a seal can find in a real database: ends of chains that were taken away or computed anew."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg import sql

from pieced_billing.errors import UsageError
from pieced_billing.ledger.chain import LINKED
from pieced_billing.ledger.observe import observe
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.sealing import NotTheLastSeal, SealBroken, seal_ledger
from pieced_billing.store.connections import connect
from tests.chained import (
    KEPT,
    SEAL_KEY,
    bring,
    compute_anew,
    fill,
    line,
    private_key_file,
    seal,
    tamper,
    tampering,
    usage,
    verified,
)
from tests.commands import run_pieced
from tests.databases import Database, DatabaseServers
from tests.observations import first_version

Found = list[tuple[str, str, str | None, str, int | None, int | None]]


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with something in every table."""
    fill(database)
    return database


@pytest.fixture
def sealed(filled: Database, tmp_path: Path) -> SealFile:
    """The seal of all that is in it."""
    return seal(filled, tmp_path / "ledger.jsonl")


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


def test_without_the_last_file_nothing_is_sealed_anew(filled: Database, sealed: SealFile, tmp_path: Path) -> None:
    """What is published says that there was one, and how much it had."""
    published = sealed.seal
    lost = tmp_path / "lost.jsonl"
    counts = f"of {published.rows} rows of 4 tenants; now there are {published.rows} of 4. Nothing was sealed: "
    with (
        connect(filled.url) as connection,
        pytest.raises(NotTheLastSeal, match=rf"^There is no file {lost}, and the last one, .*, is {counts}"),
    ):
        seal_ledger(connection, SEAL_KEY, lost, published)
    for more in (replace(published, rows=published.rows + 1), replace(published, tenants=5)):
        with (
            connect(filled.url) as connection,
            pytest.raises(NotTheLastSeal, match=rf"^{sealed.path} is an older seal"),
        ):
            seal_ledger(connection, SEAL_KEY, sealed.path, more)
    assert SealFile.open(sealed.path, SEAL_KEY.public_key()) == sealed
    assert list(tmp_path.iterdir()) == [sealed.path]
    with connect(filled.url) as connection:
        assert seal_ledger(connection, SEAL_KEY, sealed.path, published).before == published


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(filled: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"/absent/ledger\.jsonl cannot be written: No such file or directory\.$"):
        seal(filled, tmp_path / "absent" / "ledger.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        seal(filled, tmp_path / "file" / "ledger.jsonl")


def test_the_command_says_what_it_was_compared_with(filled: Database, sealed: SealFile, tmp_path: Path) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(SEAL_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    command = ("ledger", "verify", "--seal", str(sealed.path), "--seal-key", str(public))
    fine = run_pieced(*command, env=filled.env())
    against = f"4 tenants, against the seal of {sealed.seal.sealed_at}"
    assert fine.stdout == f"{sealed.seal.rows} rows of {against}: all as they were recorded.\n"
    with tampering(filled) as owner:
        owner.execute("DELETE FROM usage_records WHERE usage_id = 'later'")
        compute_anew(owner, "u1")
    shown = run_pieced(*command, "-o", "json", env=filled.env(), check=False)
    document = json.loads(shown.stdout)
    assert (shown.returncode, document["found"], document["sealed_at"]) == (1, 1, sealed.seal.sealed_at)
    assert document["findings"] == [
        {
            "what": "truncated",
            "table": "usage_records",
            "tenant": "acme",
            "uid": "u1",
            "seq": None,
            "link": len(numbered(filled, "u1")) + 1,
            "reason": f"it was there when the ledger was sealed at {sealed.seal.sealed_at}",
        }
    ]


def test_before_the_first_seal_a_verification_goes_by_the_hashes_alone(filled: Database, tmp_path: Path) -> None:
    """A first night is no alarm; a file that is gone later is one."""
    path = tmp_path / "ledger.jsonl"
    private_key_file(tmp_path)
    command = ("ledger", "verify", "--seal", str(path))
    env = filled.env() | {"PIECED_SEAL_KEY": str(tmp_path / "private.pem")}
    first = run_pieced(*command, env=env)
    assert first.stdout.endswith(" rows of 4 tenants: all as they were recorded.\n")
    assert (
        first.stderr == f"pieced: The ledger was never sealed, so there is no {path}: its hashes alone are verified.\n"
    )
    seal(filled, path)
    path.unlink()
    gone = run_pieced(*command, env=env, check=False)
    assert (gone.returncode, gone.stdout) == (2, "")
    assert gone.stderr == f"pieced: {path} cannot be read: No such file or directory.\n"


def test_a_seal_is_compared_by_its_key_alone(tmp_path: Path) -> None:
    refused = run_pieced("ledger", "verify", "--seal", str(tmp_path / "x"), check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "pieced: --seal needs --seal-key or PIECED_SEAL_KEY: a seal is believed only by its key.\n"


def test_a_cluster_that_is_not_there_leaves_the_file_as_it_was(filled: Database, tmp_path: Path) -> None:
    """What is published could not be read, so nothing was compared with it."""
    private = private_key_file(tmp_path)
    command = ("ledger", "seal", "--file", str(tmp_path / "ledger.jsonl"))
    env = filled.env() | {"KUBECONFIG": str(tmp_path / "absent"), "PIECED_SEAL_KEY": str(private)}
    refused = run_pieced(*command, env=env, check=False)
    assert refused.returncode == 2
    assert (
        refused.stderr
        == f"pieced: KUBECONFIG names {tmp_path / 'absent'}, which is no file; it must name a kubeconfig.\n"
    )
    assert list(tmp_path.iterdir()) == [private]
