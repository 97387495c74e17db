"""The hash chain in a real database: whatever is changed in any table past the program is found and named."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from pieced_billing.ledger.chain import LINKED
from pieced_billing.ledger.export import export_lines
from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import connect
from tests.chained import KEPT, bring, fill, line, tamper, tampering, usage, verified
from tests.commands import run_pieced
from tests.databases import Database
from tests.observations import first_version
from tests.old_tables import copy_rows, migrate_to

Found = set[tuple[str, str, str, str, int | None]]

OTHER_VALUES = {
    "bigint": "coalesce({0}, 0) + 1000",
    "integer": "coalesce({0}, 0) + 1000",
    "numeric": "{0} + 0.000000001",
    "boolean": "NOT {0}",
    "text": "coalesce({0}, '') || ' '",
    "text[]": "{0} || '{{x}}'",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
    "jsonb": "{0} || '{{\"usage_records\": 99}}'",
    "bytea": "sha256(coalesce({0}, ''))",
}


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with something in every table."""
    fill(database)
    return database


def found(database: Database) -> Found:
    """What a verification finds: what, table, tenant, UID and sequence number."""
    findings = verified(database).findings
    return {(str(one.flaw.what), one.flaw.table, one.tenant or "", one.uid, one.flaw.seq) for one in findings}


def columns(database: Database, table: str) -> dict[str, str]:
    with psycopg.connect(database.owner_url) as owner:
        query = """SELECT attname, atttypid::regtype::text FROM pg_attribute
                   WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"""
        return dict(owner.execute(query, [table]).fetchall())


def test_what_the_program_records_is_a_chain_in_every_table(filled: Database) -> None:
    with psycopg.connect(filled.owner_url) as owner:
        counts = {table: owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in KEPT}
        unlinked = [
            table
            for table in LINKED
            if owner.execute(f"SELECT FROM {table} WHERE link IS NULL".encode()).fetchone() is not None
        ]
    assert all(count is not None and count[0] for count in counts.values()), counts
    assert unlinked == []
    done = verified(filled)
    assert (done.tenants, done.found) == (4, 0)
    assert done.rows == sum(count[0] for table, count in counts.items() if count is not None and table in LINKED)


def test_every_append_only_table_about_tenants_is_linked(database: Database) -> None:
    with psycopg.connect(database.owner_url) as owner:
        append_only = owner.execute(
            """SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_attribute ON attrelid = tgrelid
               WHERE tgname = tgrelid::regclass::text || '_append_only' AND attname = 'tenant_uid'"""
        ).fetchall()
    assert {table for (table,) in append_only} == set(LINKED)


@pytest.mark.parametrize("table", KEPT)
def test_a_change_of_any_column_is_found_in_its_table(filled: Database, table: str) -> None:
    """But the surrogate key, which says nothing."""
    with tampering(filled) as owner:
        for (name,) in owner.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table]
        ).fetchall():
            owner.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
            )
    for column, kind in columns(filled, table).items():
        if column == "id":
            continue
        with tampering(filled) as owner:
            row, value = change(owner, table, column, kind)
        findings = found(filled)
        assert table in {where for _, where, *_ in findings}, f"{table}.{column}: {findings}"
        if column not in ("tenant_uid", "link_hash", "length"):
            assert len(findings) == 1, f"{table}.{column}: {findings}"
            assert {what for what, *_ in findings} <= {"edited", "reordered"}, f"{table}.{column}: {findings}"
        with tampering(filled) as owner:
            owner.execute(
                sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s").format(sql.Identifier(table), sql.Identifier(column)),
                [Jsonb(value) if kind == "jsonb" else value, row],
            )
        assert found(filled) == set()


def change(owner: psycopg.Connection, table: str, column: str, kind: str) -> tuple[str, object]:
    """Change a column of one row a little; returns where the row is now, and the value before."""
    names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
    other = sql.SQL(OTHER_VALUES[kind]).format(names["column"])
    (where, value), *_ = owner.execute(
        sql.SQL("SELECT ctid, {column} FROM {table} ORDER BY tenant_uid DESC, ctid DESC LIMIT 1").format(**names)
    ).fetchall()
    ((now,),) = owner.execute(
        sql.SQL("UPDATE {table} SET {column} = {other} WHERE ctid = %s RETURNING ctid").format(**names, other=other),
        [where],
    ).fetchall()
    return now, value


@pytest.mark.parametrize("table", LINKED)
def test_a_row_that_is_gone_is_named(filled: Database, table: str) -> None:
    """The first of its table, of a tenant that has rows of other tables too."""
    with tampering(filled) as owner:
        query = f"""DELETE FROM {table} AS row
                    WHERE tenant_uid = 'u1' AND link = (SELECT min(link) FROM {table} WHERE tenant_uid = 'u1')
                    RETURNING to_jsonb(row) -> 'seq', link"""
        ((seq, link),) = owner.execute(query.encode()).fetchall()
    (finding,) = verified(filled).findings
    assert (finding.tenant, finding.uid) == ("acme", "u1")
    assert (finding.flaw.table, finding.flaw.seq, finding.flaw.link) == (table, seq, link)
    assert finding.flaw.what in ("deleted", "truncated")


@pytest.mark.parametrize("table", LINKED)
def test_every_row_of_a_table_that_was_emptied_is_named(filled: Database, table: str) -> None:
    with tampering(filled) as owner:
        query = sql.SQL("SELECT tenant_uid, to_jsonb({0}) -> 'seq' FROM {0}").format(sql.Identifier(table))
        rows = owner.execute(query).fetchall()
        owner.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
    findings = verified(filled).findings
    assert sorted((one.uid, one.flaw.seq or 0) for one in findings if one.flaw.table == table) == sorted(
        (uid, seq or 0) for uid, seq in rows
    )
    assert {one.flaw.table for one in findings} == {table}


EVENT = "(tenant_uid, tenant_name, zitadel_org_id, quality, source, seq, event_kind, occurred_at"
OF_U2 = "VALUES ('u2', 'seilbahn', '310001', 'exact', 'hand', 9"
INSERTS: dict[str, LiteralString] = {
    "tenant_lifecycle_events": f"INSERT INTO tenant_lifecycle_events {EVENT}) {OF_U2}, 'deleted', now())",
    "tenant_skill_events": f"INSERT INTO tenant_skill_events {EVENT}, skill_id) {OF_U2}, 'enabled', now(), 'mail')",
    "tenant_suspension_events": f"INSERT INTO tenant_suspension_events {EVENT}) {OF_U2}, 'suspended', now())",
    "usage_records": "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)"
    " VALUES ('hand', '1', 'u2', 'llm_spend', 1, now())",
    "tenant_discontinuities": "INSERT INTO tenant_discontinuities (tenant_uid, tenant_name, reason, epoch,"
    " generation_before, generation_after, not_before, not_after, source)"
    " VALUES ('u2', 'seilbahn', 'gap', 0, 1, 9, now(), now(), 'hand')",
    "tenant_resume_requests": "INSERT INTO tenant_resume_requests (tenant_uid, tenant_name, request, event_kind, actor)"
    " VALUES ('u2', 'seilbahn', 1, 'rejected', 'hand')",
    "tenant_billing_lifecycle": "INSERT INTO tenant_billing_lifecycle"
    " (tenant_uid, tenant_name, zitadel_org_id, created_at) VALUES ('u9', 'other', '310001', now())",
    "ledger_chains": "INSERT INTO ledger_chains (tenant_uid, length, rows)"
    """ VALUES ('u9', 1, '{"usage_records": 1}')""",
}


@pytest.mark.parametrize("table", KEPT)
def test_a_row_that_somebody_else_inserted_is_named(filled: Database, table: str) -> None:
    """By plain SQL, with every trigger on."""
    with psycopg.connect(filled.owner_url) as owner:
        owner.execute(INSERTS[table].encode())
    findings = {(what, where, uid) for what, where, _, uid, _ in found(filled)}
    if table == "ledger_chains":
        assert ("truncated", "usage_records", "u9") in findings  # it says that there was a row
    else:
        assert findings == {("inserted", table, "u9" if table == "tenant_billing_lifecycle" else "u2")}


def test_events_that_changed_places_are_named_with_their_numbers(filled: Database) -> None:
    with tampering(filled) as owner:
        ((first,), (second,)) = owner.execute(
            "SELECT seq FROM tenant_skill_events WHERE tenant_uid = 'u1' ORDER BY seq LIMIT 2"
        ).fetchall()
        for before, after in ((first, 999), (second, first), (999, second)):
            owner.execute(
                "UPDATE tenant_skill_events SET seq = %s WHERE (tenant_uid, seq) = ('u1', %s)", [after, before]
            )
    findings = verified(filled).findings
    assert [(one.flaw.what, one.flaw.table, one.flaw.seq, one.flaw.reason) for one in findings] == [
        ("reordered", "tenant_skill_events", second, f"it was recorded as seq {first}"),
        ("reordered", "tenant_skill_events", first, f"it was recorded as seq {second}"),
    ]


def test_links_that_changed_places_are_named(filled: Database) -> None:
    tamper(
        filled,
        """UPDATE usage_records SET link = (SELECT sum(link) FROM usage_records WHERE tenant_uid = 'u1') - link
           WHERE tenant_uid = 'u1'""",
    )
    assert {(what, table) for what, table, *_ in found(filled)} == {("reordered", "usage_records")}


def test_a_tenant_whose_every_row_is_gone_is_named(filled: Database) -> None:
    with tampering(filled) as owner:
        rows = 0
        for table in (*LINKED, "tenant_billing_lifecycle"):
            gone = owner.execute(sql.SQL("DELETE FROM {} WHERE tenant_uid = 'u1'").format(sql.Identifier(table)))
            rows += gone.rowcount if table in LINKED else 0
    findings = found(filled)
    assert {uid for *_, uid, _ in findings} == {"u1"}
    assert {(what, where) for what, where, *_ in findings if what != "truncated"} == {
        ("deleted", "tenant_billing_lifecycle")
    }
    assert verified(filled).found == rows + 1


def test_tenants_are_recorded_beside_each_other_and_one_tenant_is_not(database: Database) -> None:
    with connect(database.url) as first, connect(database.url) as second:
        second.execute("SET lock_timeout = '100ms'")
        second.commit()
        for uid in ("u1", "u2"):
            bring(first, [line("created", uid, "01T09:00:00Z", tenant=uid, org="1")])
        insert = """INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)
                    VALUES ('s', %s, %s, 'llm_spend', 1, now())"""
        with first.transaction():
            first.execute(insert, ["a", "u1"])
            with second.transaction():
                second.execute(insert, ["b", "u2"])  # while the first one is not committed
            with pytest.raises(psycopg.errors.LockNotAvailable), second.transaction():
                second.execute(insert, ["c", "u1"])
    assert found(database) == set()


def test_many_writers_of_one_tenant_make_one_chain(database: Database) -> None:
    with connect(database.url) as connection:
        observe(connection, first_version())

    def write(writer: int) -> None:
        with connect(database.url) as connection:
            for number in range(10):
                connection.execute(
                    """INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)
                       VALUES ('s', %s, 'u1', 'llm_spend', 1, now()) ON CONFLICT DO NOTHING""",
                    [str(number + writer // 2 * 10)],
                )
                connection.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    done = verified(database)
    assert (done.rows, done.found) == (1 + 20, 0)


def test_rows_of_one_tenant_in_one_statement_are_refused(database: Database) -> None:
    """Each of them would be linked to the same row before."""
    with connect(database.url) as connection:
        observe(connection, first_version())
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="inserted one by one"):
            connection.execute(
                """INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)
                   SELECT 's', number::text, 'u1', 'llm_spend', 1, now() FROM generate_series(1, 2) AS number"""
            )


def test_an_import_begins_chains_of_its_own(filled: Database, empty_database: Database) -> None:
    run_pieced("db", "upgrade", env=empty_database.env())
    with connect(filled.url) as connection, connect(empty_database.url) as other:
        lines = [line.decode() for line in export_lines(connection)]
        bring(other, lines)
        assert list(export_lines(other)) == [line.encode() for line in lines]
        heads = [
            set(one.execute("SELECT tenant_uid, head FROM ledger_chains").fetchall()) for one in (connection, other)
        ]
    assert found(empty_database) == set()
    assert not heads[0] & heads[1]  # the rows were recorded at another time


def test_rows_from_before_there_was_a_chain_are_linked_by_the_upgrade(
    filled: Database, empty_database: Database
) -> None:
    old = empty_database
    migrate_to(old, "0007_ledger_checks")
    copy_rows(filled, old, (*LINKED, "tenant_billing_lifecycle"))
    run_pieced("db", "upgrade", env=old.env())
    assert found(old) == set()
    assert verified(old).rows == verified(filled).rows
    with connect(old.url) as connection:
        bring(connection, [usage("u1", "afterwards")])
    assert found(old) == set()
    tamper(old, "UPDATE tenant_skill_events SET skill_id = 'other' WHERE tenant_uid = 'u1' AND seq = 2")
    assert found(old) == {("edited", "tenant_skill_events", "acme", "u1", 2)}


def test_the_command_names_what_it_finds_and_fails(filled: Database) -> None:
    fine = run_pieced("ledger", "verify", env=filled.env())
    assert fine.stdout.endswith("tenants: all as they were recorded.\n")
    tamper(filled, "UPDATE tenant_suspension_events SET event_kind = 'resumed' WHERE tenant_uid = 'u1' AND seq = 4")
    shown = run_pieced("ledger", "verify", env=filled.env(), check=False)
    assert shown.returncode == 1
    assert ": 1 findings." in shown.stdout
    document = json.loads(run_pieced("ledger", "verify", "-o", "json", env=filled.env(), check=False).stdout)
    assert (document["tenants"], document["found"]) == (4, 1)
    assert document["findings"] == [
        {
            "what": "edited",
            "table": "tenant_suspension_events",
            "tenant": "acme",
            "uid": "u1",
            "seq": 4,
            "link": 4,
            "reason": "with this content it does not follow from the row before",
        }
    ]
