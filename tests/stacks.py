"""A whole stack for tests: API server, database, operator, and the few things that a test does with them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pieced_billing.store.connections import connect
from pieced_local.postgres.server import Server
from tests.apiserver import ApiServer, Json, api_server, awaited
from tests.clusters import Cluster
from tests.databases import Database, DatabaseServers
from tests.operators import Operator, operator

API_VERSION = "pieced.ch/v1alpha1"


class Recorded(NamedTuple):
    """One event as the ledger has it; `kind` names the package too: `enabled search`."""

    seq: int
    kind: str
    occurred_at: datetime
    not_before: datetime | None
    not_after: datetime | None
    quality: str
    source: str
    org: str


@dataclass(frozen=True)
class Stack:
    """An operator at work."""

    cluster: Cluster
    server: Server
    database: Database
    api: ApiServer
    operator: Operator

    def tenant(self, name: str, *, org: str | None = "310001", **spec: Any) -> Json:
        """Create a tenant; returns it as the API server sees it."""
        return self.api.create(_tenant(name, org, spec))

    def package(self, name: str) -> Json:
        """Create a package, unless there is one."""
        manifest = {
            "apiVersion": API_VERSION,
            "kind": "PiecedPackage",
            "metadata": {"name": name},
            "spec": {"displayName": name, "image": f"example/{name}:1"},
        }
        return self.api.get(manifest) or self.api.create(manifest)

    def change(self, name: str, **spec: Any) -> Json:
        """Change fields of a tenant's spec by a merge patch."""
        return self.api.patch(_tenant(name, None, {}), {"spec": spec}, manager="test")

    def label(self, name: str, org: str | None) -> Json:
        """Set or remove the organisation's label."""
        patch = {"metadata": {"labels": {"pieced.ch/org-id": org}}}
        return self.api.patch(_tenant(name, None, {}), patch, manager="labeller")

    def live(self, name: str) -> Json | None:
        """A tenant as it is now."""
        return self.api.get(_tenant(name, None, {}))

    def delete(self, name: str) -> None:
        """Ask for the deletion of a tenant."""
        self.api.delete(_tenant(name, None, {}))

    def vanish(self, name: str) -> None:
        """Delete a tenant by force, and let the database remember a position after that, so that no replay tells it.

        The operator has to be away.
        """
        self.api.patch(_tenant(name, None, {}), {"metadata": {"finalizers": None}}, manager="somebody")
        self.delete(name)
        listed = json.loads(self.cluster.kubectl("get", "--raw", f"/apis/{API_VERSION}/piecedtenants?limit=1"))
        with connect(self.database.owner_url) as connection:
            connection.execute(
                "UPDATE watch_positions SET resource_version = %s", [int(listed["metadata"]["resourceVersion"])]
            )

    def await_phase(self, name: str, phase: str) -> Json:
        """Wait until a tenant's status says a phase about its latest generation; returns the tenant."""
        found = awaited(lambda: self.live(name), lambda tenant: tenant is not None and _settled(tenant, phase))
        assert found is not None
        return found

    def await_gone(self, name: str) -> None:
        """Wait until a tenant exists no more."""
        awaited(lambda: self.live(name), lambda tenant: tenant is None)

    def condition(self, name: str, kind: str) -> Json | None:
        """One condition of a tenant."""
        tenant = self.live(name)
        assert tenant is not None
        conditions = tenant.get("status", {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), None)

    def child(self, tenant: str, kind: str, name: str, api_version: str = "v1") -> Json | None:
        """A child of a tenant."""
        metadata = {"name": name} | ({} if kind == "Namespace" else {"namespace": f"tenant-{tenant}"})
        return self.api.get({"apiVersion": api_version, "kind": kind, "metadata": metadata})

    def events(self, uid: str) -> list[Recorded]:
        """Everything that the ledger says of a tenant, in order."""
        return recorded_of(self.database, [uid])[uid]

    def kinds(self, uid: str) -> list[str]:
        """What the ledger says of a tenant, without times."""
        return [event.kind for event in self.events(uid)]

    def await_kinds(self, uid: str, *kinds: str) -> list[Recorded]:
        """Wait until the ledger says exactly this of a tenant; returns the events."""
        awaited(lambda: self.kinds(uid), lambda found: found == list(kinds))
        return self.events(uid)

    def await_position(self) -> None:
        """Wait until the database remembers that every tenant's latest version has been recorded."""
        tenants = self.api.list(API_VERSION, "PiecedTenant", "")
        latest = max(int(tenant["metadata"]["resourceVersion"]) for tenant in tenants)
        awaited(self._position, lambda position: position >= latest)

    def _position(self) -> int:
        with connect(self.database.url) as connection:
            row = connection.execute("SELECT max(resource_version) FROM watch_positions").fetchone()
        return 0 if row is None else int(row[0] or 0)


def recorded_of(database: Database, uids: list[str]) -> dict[str, list[Recorded]]:
    """Everything that a ledger says of each of some tenants, in order."""
    columns = "occurred_at, not_before, not_after, quality, source, zitadel_org_id"
    of_these = "WHERE tenant_uid = ANY(%(uids)s)"
    with connect(database.url) as connection:
        rows = connection.execute(
            f"""SELECT tenant_uid, seq, event_kind, {columns} FROM tenant_lifecycle_events {of_these}
                UNION ALL SELECT tenant_uid, seq, event_kind || ' ' || skill_id, {columns}
                FROM tenant_skill_events {of_these}
                UNION ALL SELECT tenant_uid, seq, event_kind, {columns} FROM tenant_suspension_events {of_these}
                ORDER BY seq""".encode(),
            {"uids": uids},
        ).fetchall()
    return {uid: [Recorded(*row[1:]) for row in rows if row[0] == uid] for uid in uids}


@contextmanager
def stack(cluster: Cluster, servers: DatabaseServers, folder: Path) -> Iterator[Stack]:
    """A stack with a database of its own, for as long as the block lasts."""
    with (
        servers.migrated("pg18") as database,
        api_server(cluster) as api,
        operator(cluster, database, folder) as process,
    ):
        yield Stack(cluster, servers.get("pg18"), database, api, process)


def uid_of(tenant: Json) -> str:
    """The uid of a resource."""
    uid: str = tenant["metadata"]["uid"]
    return uid


def second_of(instant: datetime) -> str:
    """An instant as the API server writes it: in whole seconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def written_by(manager: str, resource: Json) -> str:
    """When a field manager last wrote a resource, as the API server tells it."""
    times: list[str] = [entry["time"] for entry in resource["metadata"]["managedFields"] if entry["manager"] == manager]
    return max(times)


def _tenant(name: str, org: str | None, spec: Json) -> Json:
    labels = {} if org is None else {"labels": {"pieced.ch/org-id": org}}
    return {
        "apiVersion": API_VERSION,
        "kind": "PiecedTenant",
        "metadata": {"name": name, **labels},
        "spec": {"displayName": name, **spec},
    }


def _settled(tenant: Json, phase: str) -> bool:
    status = tenant.get("status", {})
    generation = tenant["metadata"]["generation"]
    return bool(status.get("phase") == phase and status.get("observedGeneration") == generation)
