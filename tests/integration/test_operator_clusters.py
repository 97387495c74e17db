"""Two clusters, an operator each, one ledger; one of them has a definition that lets in what cannot be served."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pieced_local import cluster as local_cluster
from tests.apiserver import Json, api_server, awaited
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import DatabaseServers
from tests.operators import operator
from tests.stacks import API_VERSION, Stack, second_of, stack, uid_of, written_by

RULES = ("x-kubernetes-validations", "maxLength")


@dataclass(frozen=True)
class Clusters:
    """Two stacks that share their database."""

    east: Stack
    west: Stack


@pytest.fixture(scope="module")
def clusters(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Clusters]:
    with (
        stack(cluster, database_servers, worker_state) as east,
        local_cluster.running(worker_state / "west") as other,
    ):
        other.apply_kinds_and_rights()
        with api_server(other) as api, operator(other, east.database, worker_state, pod="west") as process:
            yield Clusters(east, Stack(other, east.server, east.database, api, process))


def test_two_clusters_write_to_one_ledger_and_one_name_in_both_is_two_tenants(clusters: Clusters) -> None:
    east, west = clusters.east, clusters.west
    ours, theirs = (uid_of(where.tenant("acme", suspend=True)) for where in (east, west))
    for where, uid in ((east, ours), (west, theirs)):
        where.await_phase("acme", "Suspended")
        where.await_kinds(uid, "created", "suspended")
    east.delete("acme")
    east.await_gone("acme")
    east.operator.stop()
    east.operator.start()  # what it misses at its start does not concern the other cluster's tenants
    west.change("acme", suspend=False)
    west.await_kinds(theirs, "created", "suspended", "resumed")
    east.await_kinds(ours, "created", "suspended", "deleted")


def test_what_cannot_be_served_says_what_to_do_and_is_not_billed_and_stops_nobody(clusters: Clusters) -> None:
    west = clusters.west
    let_everything_in(west)
    too_long = west.tenant("a" * 57)
    unfit = west.tenant("unfit", suspend=True, displayName="x" * 129)
    for tenant, advice in ((too_long, "create the tenant under another name"), (unfit, "spec.displayName")):
        name = tenant["metadata"]["name"]
        west.await_phase(name, "Stalled")
        condition = west.condition(name, "Stalled")
        assert condition is not None
        assert condition["reason"] == "ResourceInvalid"
        assert advice in condition["message"]
    backfilled = run_pieced("backfill", env=west.database.env() | {"KUBECONFIG": str(west.cluster.kubeconfig)})
    assert json.loads(backfilled.stdout)["lifecycleInserted"] == 0
    assert [west.kinds(uid_of(tenant)) for tenant in (too_long, unfit)] == [[], []]
    served = west.tenant("served", suspend=True)
    west.await_kinds(uid_of(served), "created", "suspended")

    mended = west.change("unfit", displayName="Fit")
    created, _ = west.await_kinds(uid_of(unfit), "created", "suspended")
    assert second_of(created.occurred_at) == written_by("test", mended), "while it could not be served nobody pays"
    west.change("served", suspend=False, displayName="x" * 129)
    west.await_phase("served", "Stalled")
    resumed = west.change("served", displayName="Fit")
    *_, event = west.await_kinds(uid_of(served), "created", "suspended", "resumed")
    assert second_of(event.occurred_at) == written_by("test", resumed), "a change that was refused alters no bill"
    west.delete("a" * 57)
    west.await_gone("a" * 57)
    assert west.kinds(uid_of(too_long)) == []


def let_everything_in(where: Stack) -> None:
    """As with a definition of an earlier version, which had fewer rules."""
    definition = json.loads(where.cluster.kubectl("get", "crd", "piecedtenants.pieced.ch", "-o", "json"))
    where.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(without_rules(definition)))
    names = {"name": "a" * 57, "labels": {}}
    tenant: Json = {"apiVersion": API_VERSION, "kind": "PiecedTenant", "metadata": names, "spec": {"displayName": "A"}}
    awaited(lambda: where.api.refusal(tenant), lambda message: message == "")


def without_rules(schema: Any) -> Any:
    """A schema whose API server checks types only."""
    if isinstance(schema, list):
        return [without_rules(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_rules(value) for key, value in schema.items() if key not in RULES}
