"""Argo CD's health check, run by a Lua of Argo CD's version on the statuses that the operator writes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from pieced_operator.conditions import Outcome, organisation_missing, status
from pieced_operator.readiness import Readiness
from pieced_operator.tenant_status import TenantStatus

PROJECT = Path(__file__).parents[2]
CHECK = yaml.safe_load((PROJECT / "manifests/argocd/health-checks.yaml").read_text())["data"][
    "resource.customizations.health.pieced.ch_PiecedTenant"
]
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)

READY = Outcome(organisation="310001", labelled="310001", namespace="tenant-acme")
WAITING = Outcome(organisation="310001", labelled="310001", readiness=Readiness(waiting=("Volume is Pending.",)))
SUSPENDED = Outcome(organisation="310001", labelled="310001", suspended_at=NOW)
STALLED = Outcome(organisation=None, labelled=None, problem=organisation_missing("pieced.ch/org-id"))
DELETING = Outcome(organisation="310001", labelled="310001", deleting=True)


def tenant(outcome: Outcome, *, generation: int = 2, seen: int = 2, suspend: bool = False) -> dict[str, Any]:
    return {
        "metadata": {"name": "acme", "generation": generation},
        "spec": {"suspend": suspend},
        "status": status(TenantStatus(), seen, outcome, NOW),
    }


def health(resource: dict[str, Any]) -> dict[str, str]:
    """What Argo CD would show: it binds the resource to `obj` and takes the table that the script returns."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(resource, recursive=True)
    return dict(lua.execute(CHECK))


@pytest.mark.parametrize(
    ("resource", "expected", "message"),
    [
        (tenant(READY), "Healthy", "All workloads are available"),
        (tenant(WAITING), "Progressing", "Volume is Pending."),
        (tenant(STALLED), "Degraded", "Label pieced.ch/org-id is missing"),
        (tenant(SUSPENDED, suspend=True), "Suspended", "Nothing runs; all data is kept."),
        (tenant(WAITING, suspend=True), "Progressing", "Volume is Pending."),
        (tenant(DELETING), "Progressing", "The tenant is being deleted."),
        (tenant(READY, generation=3), "Progressing", "Waiting for the operator"),
    ],
    ids=["ready", "waiting", "stalled", "suspended", "suspending", "deleting", "unseen"],
)
def test_health_follows_the_conditions(resource: dict[str, Any], expected: str, message: str) -> None:
    verdict = health(resource)
    assert verdict["status"] == expected
    assert message in verdict["message"]


def test_a_tenant_that_the_operator_has_not_seen_is_progressing() -> None:
    new = {"metadata": {"name": "acme", "generation": 1}, "spec": {"suspend": False}}
    assert health(new)["status"] == "Progressing"
