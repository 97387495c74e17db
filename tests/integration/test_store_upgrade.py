"""`pieced db upgrade`: the tables of this program, or those that were there, and nothing in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from pieced_billing.errors import UsageError
from pieced_billing.store import portal, revisions, roles
from pieced_billing.store.connections import NotAllowed, Urls, WrongServer, require_supported, session
from pieced_billing.store.upgrade import UpgradeRefused, ZoneDiffers, upgrade
from pieced_local.postgres.server import SUPERUSER
from tests.commands import run_pieced
from tests.databases import Database, DatabaseServers

pytestmark = pytest.mark.both_servers


def urls(database: Database) -> Urls:
    return Urls(database.url, database.owner_url)


@pytest.fixture
def owner(empty_database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database.owner_url, autocommit=True) as opened:
        yield opened


def tables(owner: psycopg.Connection) -> list[str]:
    found = owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    return sorted(name for (name,) in found)


def test_the_eleven_tables_of_the_portal_are_made_and_again_changes_nothing(
    empty_database: Database, owner: psycopg.Connection
) -> None:
    first = upgrade(urls(empty_database))
    assert (first.before, first.now, first.billing_zone) == (None, revisions.head(), "Europe/Zurich")
    assert set(portal.TABLES) <= set(tables(owner))
    keys = owner.execute("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'p'").fetchall()
    assert set(tables(owner)) <= {table for (table,) in keys}, "each has a primary key"
    assert upgrade(urls(empty_database)).before == revisions.head()


def test_every_table_has_the_privileges_that_it_is_given(empty_database: Database, owner: psycopg.Connection) -> None:
    upgrade(urls(empty_database))
    assert set(tables(owner)) <= set(roles.PRIVILEGES)
    granted = owner.execute(
        """SELECT table_name, string_agg(privilege_type, ', ') FROM information_schema.role_table_grants
           WHERE grantee = 'pieced_app' GROUP BY table_name"""
    ).fetchall()
    wanted = {
        table: {privilege for privilege in privileges.split(", ") if "(" not in privilege}
        for table, privileges in roles.PRIVILEGES.items()
        if privileges != "USAGE"  # of a sequence
    }
    assert {table: set(privileges.split(", ")) for table, privileges in granted} == wanted


def test_a_privilege_that_was_added_by_hand_is_taken_back(empty_database: Database, owner: psycopg.Connection) -> None:
    upgrade(urls(empty_database))
    owner.execute("GRANT ALL ON tenant_skill_events TO pieced_app")
    upgrade(urls(empty_database))
    found = owner.execute("SELECT has_table_privilege('pieced_app', 'tenant_skill_events', 'UPDATE')").fetchone()
    assert found == (False,)


def test_the_application_may_stage_an_import_wherever_the_owner_of_the_tables_owns_the_database(
    empty_database: Database, owner: psycopg.Connection, database_servers: DatabaseServers, server_name: str
) -> None:
    name = sql.Identifier(empty_database.name)
    owner.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM pieced_app").format(name))
    upgrade(urls(empty_database))
    assert run_pieced("ledger", "import", "-", env=empty_database.env(), stdin="").returncode == 0
    with psycopg.connect(
        database_servers.get(server_name).url(SUPERUSER, empty_database.name), autocommit=True
    ) as superuser:
        superuser.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM pieced_app").format(name))
        superuser.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(SUPERUSER)))
        superuser.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO pieced_owner").format(name))
    assert upgrade(urls(empty_database)).before == revisions.head()
    refused = run_pieced("ledger", "import", "-", env=empty_database.env(), stdin="", check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "permission denied to create temporary tables" in refused.stderr


def test_one_role_may_do_both(empty_database: Database) -> None:
    one = Urls(empty_database.owner_url, empty_database.owner_url)
    assert upgrade(one).now == revisions.head()
    with session(one.application) as connection:
        connection.execute(
            "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at) "
            "VALUES ('s', '1', 'u', 'llm_spend', 1, now())"
        )


def test_two_urls_of_two_databases_are_refused(empty_database: Database, database: Database) -> None:
    with pytest.raises(UsageError, match="name two different databases"):
        upgrade(Urls(database.url, empty_database.owner_url))


def test_a_database_that_cannot_hold_every_name_is_refused(database_servers: DatabaseServers, server_name: str) -> None:
    server = database_servers.get(server_name)
    latin = server.url(SUPERUSER, "latin")
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        with pytest.raises(UpgradeRefused, match="its encoding is LATIN1"):
            upgrade(Urls(latin, latin))
        connection.execute("DROP DATABASE latin WITH (FORCE)")


def test_three_at_once_are_safe(empty_database: Database) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run_pieced("db", "upgrade", env=empty_database.env()), range(3)))
    said = sorted(command.stdout for command in done)
    now = f"revision {revisions.head()}"
    assert [f"is now at {now}" in line for line in said].count(True) == 1
    assert [f"is at {now} already" in line for line in said].count(True) == 2


class TestBillingZone:
    """The zone that days are cut in is chosen when the tables are made."""

    def test_it_is_kept(self, empty_database: Database) -> None:
        assert upgrade(urls(empty_database), "Pacific/Auckland").billing_zone == "Pacific/Auckland"
        assert upgrade(urls(empty_database)).billing_zone == "Pacific/Auckland"
        assert upgrade(urls(empty_database), "Pacific/Auckland").before is not None

    def test_it_cannot_be_changed(self, empty_database: Database) -> None:
        upgrade(urls(empty_database))
        with pytest.raises(ZoneDiffers, match="is Europe/Zurich since its creation"):
            upgrade(urls(empty_database), "UTC")

    def test_one_that_the_server_does_not_know_leaves_no_tables(
        self, empty_database: Database, owner: psycopg.Connection
    ) -> None:
        with pytest.raises(UpgradeRefused, match="does not know the time zone Nowhere/City"):
            upgrade(urls(empty_database), "Nowhere/City")
        assert tables(owner) == []


PORTAL = """
CREATE TABLE tenant_requests (id serial PRIMARY KEY, note text);
INSERT INTO tenant_requests (note) VALUES ('keep me');
CREATE TABLE platform_pricing (id int PRIMARY KEY DEFAULT 1, tenant_setup_fee_chf numeric(10,2) NOT NULL DEFAULT 0,
    tenant_monthly_fee_chf numeric(10,2) NOT NULL DEFAULT 0, threema_message_chf numeric(10,5) NOT NULL DEFAULT 0,
    vat_rate_chli numeric(5,2) NOT NULL DEFAULT 8.10, updated_at timestamptz DEFAULT now());
INSERT INTO platform_pricing (id) VALUES (1);
CREATE TABLE skill_pricing (skill_id text PRIMARY KEY, daily_price_chf numeric(10,5));
CREATE TABLE tenant_billing_lifecycle (tenant_name text PRIMARY KEY, zitadel_org_id text, created_at timestamptz,
    deleted_at timestamptz);
CREATE TABLE tenant_skill_events (id bigserial PRIMARY KEY, tenant_name text, skill_id text, event_kind text,
    occurred_at timestamptz);
CREATE TABLE tenant_suspension_events (id bigserial PRIMARY KEY, tenant_name text, event_kind text,
    occurred_at timestamptz);
CREATE TABLE org_billing_config (zitadel_org_id text PRIMARY KEY, pay_by_invoice boolean);
CREATE TABLE org_payment_methods (id bigserial PRIMARY KEY, zitadel_org_id text);
CREATE TABLE invoice_number_counters (year int PRIMARY KEY, last_number int);
CREATE TABLE invoices (id bigserial PRIMARY KEY, number text);
CREATE TABLE invoice_lines (id bigserial PRIMARY KEY, invoice_id bigint REFERENCES invoices);
CREATE TABLE invoice_reminders (id bigserial PRIMARY KEY, invoice_id bigint REFERENCES invoices);
"""


class TestPortal:
    """A database in which the portal made its tables of the same names."""

    FILLED = (
        ("tenant_billing_lifecycle", "INSERT INTO tenant_billing_lifecycle VALUES ('acme', '1', now())"),
        ("tenant_skill_events", "INSERT INTO tenant_skill_events (tenant_name) VALUES ('acme')"),
        ("invoice_number_counters", "INSERT INTO invoice_number_counters VALUES (2026, 1)"),
        ("platform_pricing", "UPDATE platform_pricing SET tenant_monthly_fee_chf = 49"),
        ("platform_pricing", "UPDATE platform_pricing SET vat_rate_chli = 7.7"),
        ("platform_pricing", "ALTER TABLE platform_pricing DROP COLUMN vat_rate_chli"),
    )

    @pytest.mark.parametrize(("table", "change"), FILLED)
    def test_filled_tables_are_refused_and_left_alone(
        self, empty_database: Database, owner: psycopg.Connection, table: str, change: str
    ) -> None:
        owner.execute(PORTAL)
        owner.execute(change)
        before = tables(owner)
        with pytest.raises(portal.PortalTablesFilled) as refused:
            upgrade(urls(empty_database))
        assert f"billing records (in {table})" in str(refused.value)
        assert "`pieced ledger import`, `pieced price apply` and `pieced org apply`" in str(refused.value)
        assert tables(owner) == before

    def test_empty_ones_make_room_and_the_others_stay(
        self, empty_database: Database, owner: psycopg.Connection
    ) -> None:
        owner.execute(PORTAL)
        upgrade(urls(empty_database))
        assert owner.execute("SELECT note FROM tenant_requests").fetchall() == [("keep me",)]
        assert owner.execute("SELECT count(*) FROM tenant_lifecycle_events").fetchone() == (0,)

    def test_a_table_that_something_hangs_on_is_not_torn_out(
        self, empty_database: Database, owner: psycopg.Connection
    ) -> None:
        owner.execute(PORTAL + "CREATE VIEW prices AS SELECT * FROM skill_pricing")
        with pytest.raises(
            UpgradeRefused, match="cannot be upgraded and is as it was: cannot drop table skill_pricing"
        ):
            upgrade(urls(empty_database))
        assert "tenant_requests" in tables(owner)
        assert revisions.current(owner) is None

    def test_tables_that_only_look_like_ours_are_not_taken_for_ours(
        self, empty_database: Database, owner: psycopg.Connection
    ) -> None:
        owner.execute("CREATE TABLE usage_records (id int)")
        with pytest.raises(UpgradeRefused, match='"usage_records" already exists'):
            upgrade(urls(empty_database))
        assert tables(owner) == ["usage_records"]


class TestRevisions:
    """Other commands work on the tables of this program only."""

    def test_no_tables(self, empty_database: Database) -> None:
        done = run_pieced("ledger", "export", env=empty_database.env(), check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "pieced: The database has no tables of Pieced yet; run `pieced db upgrade`.\n"

    @pytest.mark.parametrize(
        ("revision", "says"),
        [
            ("0001_ledger", "The database is at revision 0001_ledger and "),
            ("9999_future", "The database is at revision 9999_future, newer than this program; use a newer Pieced."),
        ],
    )
    def test_other_tables(self, database: Database, revision: str, says: str) -> None:
        with psycopg.connect(database.owner_url) as owner:
            owner.execute(
                sql.SQL("UPDATE {} SET version_num = {}").format(sql.Identifier(revisions.VERSION_TABLE), revision)
            )
        done = run_pieced("ledger", "show", "acme", env=database.env(), check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"pieced: {says}")

    def test_a_newer_database_is_not_downgraded(self, database: Database) -> None:
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("UPDATE pieced_alembic_version SET version_num = '9999_future'")
        with pytest.raises(revisions.WrongRevision, match="newer than this program"):
            upgrade(urls(database))


def test_an_application_that_may_not_connect_is_said(empty_database: Database) -> None:
    wrong = empty_database.url.replace("pieced_app:", "pieced_app:x")
    done = run_pieced("db", "upgrade", env=empty_database.env() | {"DATABASE_URL": wrong}, check=False)
    assert done.returncode == 1
    assert "password authentication failed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_owner_that_may_not_make_tables_is_said(empty_database: Database) -> None:
    env = {"DATABASE_URL": empty_database.url}
    done = run_pieced("db", "upgrade", env=env, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "permission denied for schema public" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", [90624, 140012])
def test_an_old_server_is_refused(version: int) -> None:
    with pytest.raises(WrongServer, match=r"is PostgreSQL (9|14); Pieced needs 15 or newer\."):
        require_supported(version)
    require_supported(150000)


FACTS = ("tenant_lifecycle_events", "tenant_skill_events", "tenant_suspension_events", "usage_records")


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize("statement", ["UPDATE {} SET source = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_facts_are_append_only_for_the_application_and_for_the_owner(
    database: Database, table: str, statement: str
) -> None:
    query = sql.SQL(statement).format(sql.Identifier(table))
    forbidden = psycopg.errors.InsufficientPrivilege
    with psycopg.connect(database.url) as application, pytest.raises(forbidden, match="permission denied"):
        application.execute(query)
    with psycopg.connect(database.owner_url) as owner, pytest.raises(forbidden, match=f"{table} is append-only"):
        owner.execute(query)
    with pytest.raises(NotAllowed, match=f"permission denied for table {table}"), session(database.url) as connection:
        connection.execute(query)


def test_the_application_may_not_change_the_tables(database: Database) -> None:
    for statement in ("DROP TABLE usage_records", "ALTER TABLE usage_records DISABLE TRIGGER ALL", "CREATE TABLE x ()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(database.url) as application:
            application.execute(statement)


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "-Infinity", "-1"])
def test_a_quantity_is_a_number_and_not_negative_without_a_reason(database: Database, quantity: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), psycopg.connect(database.url) as application:
        application.execute(
            """INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)
               VALUES ('s', '1', 'u', 'llm_spend', %s::numeric, now())""",
            [quantity],
        )


def test_the_newest_migration_is_the_one_that_its_file_names() -> None:
    config = Config()
    config.set_main_option("script_location", "pieced_billing.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [revisions.head()]
