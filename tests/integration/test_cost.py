"""What tenants cost this month: the same as the drafts of their organisations say, tenant by tenant."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from subprocess import CompletedProcess
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from pieced_billing.calendar import Month
from pieced_billing.invoicing.cost import costs_of, tenant_costs
from pieced_billing.invoicing.load import drafts
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.money import amount_text, exact_sum
from pieced_billing.store.connections import Connection, connect
from tests.books import organisation, set_organisations, set_prices
from tests.databases import Database

RunPieced = Callable[..., CompletedProcess[str]]
NOW = datetime.now(UTC)
MONTH = Month.of(NOW.astimezone(ZoneInfo("Europe/Zurich")).date())
BEGAN = datetime(MONTH.year, MONTH.number, 1, tzinfo=ZoneInfo("Europe/Zurich"))


def line(kind: str, uid: str, at: datetime, **fields: str) -> dict[str, Any]:
    return {"kind": kind, "uid": uid, "at": at.astimezone(UTC).isoformat(), **fields}


def life(uid: str, tenant: str, org: str, created_at: datetime) -> Iterator[dict[str, Any]]:
    yield line("created", uid, created_at, tenant=tenant, org=org)
    yield line("enabled", uid, created_at, package="search")


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    long_ago, lately = BEGAN - timedelta(days=40), BEGAN + (NOW - BEGAN) / 2
    entries = [
        *life("u-1", "acme", "310001", lately),
        line("usage", "u-1", lately, meter="llm_spend", quantity="1.239", id="s-1"),
        *life("u-2", "bergbahn", "310002", long_ago),
        *life("u-3", "acme-lab", "310001", long_ago),
        line("suspended", "u-3", long_ago + timedelta(days=1)),
        *life("u-4", "acme-old", "310001", long_ago),
        line("deleted", "u-4", long_ago + timedelta(days=2)),
    ]
    with connect(database.url) as opened:
        set_prices(opened)
        set_organisations(opened, organisation("310001"), organisation("310002", country="DE"))
        with opened.transaction():
            import_lines(opened, io.BytesIO(b"\n".join(map(orjson.dumps, entries))))
        yield opened


def test_costs_are_those_of_the_drafts(connection: Connection) -> None:
    costs = list(costs_of(connection, None, None))
    assert [(cost.org, cost.tenant) for cost in costs] == [
        ("310001", "acme"),
        ("310001", "acme-lab"),
        ("310002", "bergbahn"),
    ]
    to_date = [line for draft in drafts(connection, MONTH, None, datetime.now(UTC)) for line in draft.lines]
    forecast = [line for draft in drafts(connection, MONTH) for line in draft.lines]
    for cost in costs:
        assert cost.to_date == exact_sum(line.amount for line in to_date if line.uid == cost.uid)
        assert cost.forecast == exact_sum(line.amount for line in forecast if line.uid == cost.uid)
        assert cost.to_date <= cost.forecast
    assert {cost.tenant: cost.to_date > 0 for cost in costs} == {"acme": True, "acme-lab": False, "bergbahn": True}
    kinds = ["tenant_setup_fee", "tenant_monthly_fee", "package_setup_fee", "package_days", "llm_spend"]
    assert [kind for kind, _ in costs[0].charges] == kinds


def test_tenants_are_read_by_uid_and_those_of_another_month_are_left_out(connection: Connection) -> None:
    assert [cost.tenant for cost in tenant_costs(connection, ["u-2", "u-3", "u-4", "unheard-of"])] == [
        "acme-lab",
        "bergbahn",
    ]


def test_the_command_needs_the_database_alone(
    connection: Connection, database: Database, run_pieced: RunPieced
) -> None:
    connection.commit()
    every = run_pieced("cost", "--org", "310001", env=database.env()).stdout
    assert [row.split()[:3] for row in every.splitlines()[2:]] == [
        ["acme", "310001", str(MONTH)],
        ["acme-lab", "310001", str(MONTH)],
    ]
    one = run_pieced("cost", "acme", env=database.env()).stdout
    [cost] = costs_of(connection, "acme", None)
    rows = [row.split() for row in one.splitlines()[2:]]
    assert rows[0][-2:] == ["99.00", "99.00"]
    assert rows[-1][2:] == ["total", "without", "VAT", amount_text(cost.to_date), amount_text(cost.forecast)]
    [document] = json.loads(run_pieced("cost", "acme", "-o", "json", env=database.env()).stdout)
    assert document == cost.document()
    shown = run_pieced("events", "acme", env=database.env()).stdout
    assert shown == run_pieced("ledger", "show", "acme", env=database.env()).stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("cost", "nobody"), "The ledger has no tenant whose name or UID is 'nobody'."),
        (("cost", "--org", "nobody"), "Organisation 'nobody' has no tenant in the ledger and no configuration."),
        (("events", "nobody"), "The ledger has no tenant whose name or UID is 'nobody'."),
    ],
)
def test_who_is_unknown_is_named(
    database: Database, run_pieced: RunPieced, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run_pieced(*arguments, env=database.env(), check=False)
    assert (done.returncode, done.stderr) == (1, f"pieced: {sentence}\n")
