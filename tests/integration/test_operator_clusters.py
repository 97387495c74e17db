"""Two clusters, an operator each, one ledger."""

from pathlib import Path

from pieced_local import cluster as local_cluster
from tests.apiserver import api_server
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.operators import operator
from tests.stacks import Stack, stack, uid_of


def test_two_clusters_write_to_one_ledger_and_one_name_in_both_is_two_tenants(
    cluster: Cluster, database_servers: DatabaseServers, worker_state: Path
) -> None:
    with (
        stack(cluster, database_servers, worker_state) as east,
        local_cluster.running(worker_state / "west") as other,
    ):
        other.apply_kinds_and_rights()
        with api_server(other) as api, operator(other, east.database, worker_state, pod="west") as process:
            west = Stack(other, east.server, east.database, api, process)
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
