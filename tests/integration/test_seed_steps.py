"""The testing steps 1 to 8 of the seed "Billing Phase 1", with their SQL as written, on a fresh database."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.apiserver import api_server, awaited
from tests.clusters import Cluster
from tests.databases import Database, DatabaseServers
from tests.operators import Operator
from tests.stacks import Stack

RunPieced = Callable[..., CompletedProcess[str]]

TABLES = {
    *("platform_pricing", "skill_pricing", "tenant_billing_lifecycle", "tenant_skill_events"),
    *("tenant_suspension_events", "org_billing_config", "org_payment_methods", "invoice_number_counters"),
    *("invoices", "invoice_lines", "invoice_reminders"),
}

STEP_1 = "SELECT * FROM platform_pricing;"
STEP_3 = """-- All tenants have lifecycle rows
SELECT tenant_name, zitadel_org_id, created_at, deleted_at
FROM tenant_billing_lifecycle ORDER BY created_at;
"""
STEP_3_EVENTS = """-- Initial skill events match each tenant's current spec.packages
SELECT tenant_name, skill_id, event_kind, occurred_at
FROM tenant_skill_events ORDER BY tenant_name, occurred_at;
"""
STEP_4 = """SELECT * FROM tenant_skill_events
WHERE tenant_name = 'your-test-tenant'
ORDER BY id DESC LIMIT 3;
"""
STEP_5 = """SELECT * FROM tenant_suspension_events
WHERE tenant_name = 'your-test-tenant'
ORDER BY id DESC LIMIT 3;
"""
STEP_6 = """SELECT tenant_name, created_at, deleted_at
FROM tenant_billing_lifecycle
WHERE tenant_name = 'your-deleted-tenant';
"""
STEP_7 = """UPDATE platform_pricing
SET tenant_monthly_fee_chf = 49.00,
tenant_setup_fee_chf = 99.00,
threema_message_chf = 0.005
WHERE id = 1;
INSERT INTO skill_pricing (skill_id, daily_price_chf)
VALUES ('searxng-local-search', 0.10)
ON CONFLICT (skill_id) DO UPDATE
SET daily_price_chf = EXCLUDED.daily_price_chf;
"""
STEP_8 = """-- Pick any org id from your tenant labels
SELECT zitadel_org_id, pay_by_invoice, auto_invoice_enabled,
auto_reminders_enabled
FROM org_billing_config;
"""
TENANTS = ("your-test-tenant", "your-deleted-tenant", "acme", "bergbahn")
PACKAGES = ("threema", "telegram", "discord")


@pytest.fixture
def quiet_cluster(cluster: Cluster, run_pieced: RunPieced, database: Database) -> Cluster:
    """A cluster without tenants: those of other tests leave first."""
    run_pieced("operator", "release", "--yes", env=database.env() | {"KUBECONFIG": str(cluster.kubeconfig)})
    cluster.kubectl("delete", "piecedtenants,piecedpackages", "--all")
    return cluster


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_testing_steps_of_the_seed(
    quiet_cluster: Cluster,
    empty_database: Database,
    database_servers: DatabaseServers,
    run_pieced: RunPieced,
    tmp_path: Path,
) -> None:
    env = empty_database.env() | {"KUBECONFIG": str(quiet_cluster.kubeconfig)}
    operator = Operator(quiet_cluster, empty_database, tmp_path)
    with api_server(quiet_cluster) as api:
        at = Stack(quiet_cluster, database_servers.get("pg18"), empty_database, api, operator)

        # Step 1: the migration ran
        run_pieced("db", "upgrade", env=env)
        tables = rows(empty_database, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        assert {name for (name,) in tables} >= TABLES
        with psycopg.connect(empty_database.url, row_factory=dict_row) as connection:
            (pricing,) = connection.execute(STEP_1).fetchall()
        assert {name: str(value) for name, value in pricing.items() if name.endswith(("_chf", "_chli"))} == {
            "tenant_setup_fee_chf": "0.00",
            "tenant_monthly_fee_chf": "0.00",
            "threema_message_chf": "0.00000",
            "vat_rate_chli": "8.10",
        }

        # Step 2: backfill existing tenants, twice
        for package in (*PACKAGES, "searxng-local-search"):
            at.package(package)
        for number, tenant in enumerate(TENANTS):
            at.tenant(tenant, org=f"31000{number}", packages=list(PACKAGES))
        assert backfilled(run_pieced, env) == {
            "message": "Backfill complete.",
            "tenantsExamined": 4,
            "lifecycleInserted": 4,
            "eventsInserted": 12,
            "suspensionEventsInserted": 0,
        }
        assert backfilled(run_pieced, env) == {
            "message": "Backfill complete.",
            "tenantsExamined": 4,
            "lifecycleInserted": 0,
            "eventsInserted": 0,
            "suspensionEventsInserted": 0,
        }

        # Step 3: verify backfill data against the live resources
        lifecycles = rows(empty_database, STEP_3)
        assert {(name, org, deleted_at) for name, org, _, deleted_at in lifecycles} == {
            (tenant, f"31000{number}", None) for number, tenant in enumerate(TENANTS)
        }
        listed = quiet_cluster.kubectl(
            *("get", "piecedtenants", "-o"),
            r'jsonpath={range .items[*]}{.metadata.name}{": "}{.spec.packages}{"\n"}{end}',
        )
        live = {name: json.loads(packages) for name, packages in (line.split(": ") for line in listed.splitlines())}
        enabled = {(tenant, package) for tenant, packages in live.items() for package in packages}
        events = rows(empty_database, STEP_3_EVENTS)
        assert {(tenant, package) for tenant, package, kind, _ in events if kind == "enabled"} == enabled
        assert len(events) == len(enabled) == 12

        operator.start()

        # Step 4: live skill toggle
        at.change("your-test-tenant", packages=[*PACKAGES, "searxng-local-search"])
        await_newest(empty_database, STEP_4, "enabled", "searxng-local-search")
        at.change("your-test-tenant", packages=list(PACKAGES))
        await_newest(empty_database, STEP_4, "disabled", "searxng-local-search")

        # Step 5: live suspend toggle
        assert rows(empty_database, STEP_5) == []
        at.change("your-test-tenant", suspend=True)
        await_newest(empty_database, STEP_5, "suspended")
        at.change("your-test-tenant", suspend=False)
        await_newest(empty_database, STEP_5, "resumed")

        # Step 6: live delete
        at.delete("your-deleted-tenant")
        ((name, _, deleted_at),) = awaited(lambda: rows(empty_database, STEP_6), lambda found: found[0][2] is not None)
        ((now,),) = rows(empty_database, "SELECT clock_timestamp()")
        assert name == "your-deleted-tenant"
        assert isinstance(deleted_at, datetime)
        assert isinstance(now, datetime)
        assert abs(now - deleted_at) < timedelta(minutes=1)

        # Step 7: pricing, which survives a restart
        with psycopg.connect(empty_database.url) as connection:
            connection.execute(STEP_7)
        operator.stop()
        operator.start()
        assert [
            str(value) for value in rows(empty_database, "SELECT tenant_monthly_fee_chf FROM platform_pricing")[0]
        ] == ["49.00"]
        assert [str(value) for value in rows(empty_database, "SELECT daily_price_chf FROM skill_pricing")[0]] == [
            "0.10000"
        ]

        # Step 8: reading creates no rows
        assert rows(empty_database, STEP_8) == []
        run_pieced("org", "show", env=env)
        run_pieced("invoice", "draft", "--month", "2026-11", "--all", env=env)
        assert rows(empty_database, STEP_8) == []
        operator.stop()


def backfilled(run_pieced: RunPieced, env: dict[str, str]) -> dict[str, object]:
    """Run a backfill; the keys of its answer stand in the order of the seed."""
    answer: dict[str, object] = json.loads(run_pieced("backfill", env=env).stdout)
    assert list(answer) == [
        "message",
        "tenantsExamined",
        "lifecycleInserted",
        "eventsInserted",
        "suspensionEventsInserted",
    ]
    return answer


def await_newest(database: Database, query: str, *said: str) -> None:
    """Wait until the first row of a statement, the newest, says all this."""
    awaited(lambda: rows(database, query), lambda found: bool(found) and set(said) <= set(found[0]))
