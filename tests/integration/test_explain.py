"""`pieced explain --tenant`: from the lines of a month to days, events, prices and VAT rates."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from pieced_billing.explaining.line import SOURCES
from pieced_billing.explaining.tenant import explain_tenant
from pieced_billing.explaining.tenant_document import tenant_document
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.store.connections import Connection, connect
from tests.books import MARCH
from tests.databases import Database

RunPieced = Callable[..., CompletedProcess[str]]
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture
def example(database: Database, run_pieced: RunPieced) -> Database:
    """The database of the documented example."""
    for command in (("price", "apply", "-f"), ("org", "apply", "-f"), ("ledger", "import")):
        file = {"price": "prices.yaml", "org": "orgs.yaml", "ledger": "ledger.jsonl"}[command[0]]
        run_pieced(*command, str(EXAMPLES / file), env=database.env())
    return database


@pytest.fixture
def connection(example: Database) -> Iterator[Connection]:
    with connect(example.url) as opened:
        yield opened


def bring(connection: Connection, *entries: dict[str, Any]) -> None:
    with connection.transaction():
        import_lines(connection, io.BytesIO("\n".join(map(json.dumps, entries)).encode()))


def test_every_line_of_the_example_names_its_days_events_price_and_vat(connection: Connection) -> None:
    [found] = explain_tenant(connection, "acme", MARCH)
    document = tenant_document(found)
    assert (document["net"], document["as_of"]) == ("137.10", None)
    lines = {(line["kind"], line["service_from"]): line for line in document["lines"]}
    assert {kind for kind, _ in lines} == set(SOURCES), "every kind of charge is in the example"
    assert [len(line["days"]) for line in document["lines"]] == [1, 12, 6, 1, 9, 1, 1]
    assert [event["kind"] for event in lines["package_setup_fee", "2026-03-01"]["events"]] == ["created", "enabled"]
    first, second = lines["tenant_monthly_fee", "2026-03-01"], lines["tenant_monthly_fee", "2026-03-15"]
    assert (first["formula"], second["formula"]) == ("49.90 × 12 ÷ 31", "59.90 × 6 ÷ 31")
    assert first["days"][8:10] == ["2026-03-09", "2026-03-12"]
    assert [event["kind"] for event in first["events"]] == ["created", "suspended", "resumed", "deleted"]
    assert [event["kind"] for event in second["events"]] == ["resumed", "deleted"]
    assert first["price"]["valid_from"] is None
    assert (second["price"]["value"], second["price"]["valid_from"]) == ("59.90", "2026-03-15")
    assert second["price"]["recorded_by"] == "pieced_app"
    assert second["vat"]["version"]["valid_from"] == "2024-01-01"
    days = lines["package_days", "2026-03-01"]
    assert [event["kind"] for event in days["events"]] == ["created", "enabled", "disabled"]
    assert document["billable"] == {"searxng-local-search": days["days"]}
    [spend] = lines["llm_spend", "2026-03-02"]["usage"]
    assert spend == {"on": "2026-03-02", "source": "import", "records": 1, "quantity": "1.234567"}


def test_generation_manager_and_bounds_of_what_was_seen_are_told(connection: Connection) -> None:
    bring(
        connection,
        {"kind": "created", "uid": "u-9", "tenant": "seen", "org": "310001", "at": "2026-03-05T09:00:00Z"},
        {"kind": "suspended", "uid": "u-9", "at": "2026-03-07T09:00:00Z", "source": "watch", "generation": 4}
        | {"manager": "kubectl-edit", "quality": "bounded", "not_before": "2026-03-07T08:59:00Z"}
        | {"not_after": "2026-03-07T09:00:30Z"},
    )
    [found] = explain_tenant(connection, "seen", MARCH)
    [_, suspended] = tenant_document(found)["lines"][1]["events"]
    assert {key: suspended[key] for key in ("source", "generation", "manager", "quality", "not_before")} == {
        "source": "watch",
        "generation": 4,
        "manager": "kubectl-edit",
        "quality": "bounded",
        "not_before": "2026-03-07T08:59:00Z",
    }


def test_a_month_that_is_not_over_is_explained_to_date(connection: Connection) -> None:
    now = datetime.now(UTC)
    created_at = (now - timedelta(hours=1)).isoformat()
    bring(connection, {"kind": "created", "uid": "u-9", "tenant": "young", "org": "310002", "at": created_at})
    found = explain_tenant(connection, "young", None)[-1]
    assert found.as_of is not None
    assert len(found.active) <= 2, "days to come are not among them"
    assert found.lines[-1].events[0].event.kind == "created"
    assert [warning.code for warning in found.draft.warnings] == ["org_without_configuration"]


def test_the_command_draws_the_month(example: Database, run_pieced: RunPieced) -> None:
    shown = run_pieced("explain", "--tenant", "acme", "--month", "2026-03", env=example.env()).stdout
    assert (
        "active                █████████··█████████···········\nsearxng-local-search  █████████······················\n"
    ) in shown
    assert "monthly fee   CHF 19.32 = 49.90 × 12 ÷ 31\n  rounded  from 19.316129…, half away from zero" in shown
    assert "            9 ■ 10 s 11 s 12 ■ 13 ■ 14 ■ 15 p   d after its deletion: 11\n" in shown
    [document] = json.loads(
        run_pieced("explain", "--tenant", "acme", "--month", "2026-03", "-o", "json", env=example.env()).stdout
    )
    assert document["net"] == "137.10"
    nothing = run_pieced("explain", "--tenant", "acme", "--month", "2025-01", env=example.env()).stdout
    assert nothing == "acme has nothing to do with 2025-01.\n"
    unknown = run_pieced("explain", "--tenant", "nobody", env=example.env(), check=False)
    assert (unknown.returncode, unknown.stdout) == (1, "")
