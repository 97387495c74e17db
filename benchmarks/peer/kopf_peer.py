"""`python -m benchmarks.peer.kopf_peer LISTEN SHAPES`: a bare kopf operator, as its documentation shows one.

Handlers for creation, update, resumption and deletion write the ledger's rows, apply all children and say so in the
status. It keeps no children in mind, watches none, and leaves retries to kopf.
"""

import os
import sys
from pathlib import Path
from typing import Any

import kopf
import orjson
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError
from prometheus_client import Counter, Gauge, start_http_server
from psycopg import RawCursor
from psycopg_pool import ConnectionPool

RECORD = Path(__file__).with_name("record.sql").read_text()
MANAGER = "pieced-operator"
THREADS = 20

HANDLED = Counter("peer_handled", "Handlers that ended well")
IN_WORK = Gauge("peer_in_work", "Handlers that run now")


class Peer:
    """What the handlers work with."""

    def __init__(self, shapes: Path) -> None:
        settings = Configuration()
        config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        settings.connection_pool_maxsize = THREADS
        self._cluster = DynamicClient(ApiClient(settings))  # type: ignore[no-untyped-call]
        self._shapes: dict[str, list[dict[str, Any]]] = orjson.loads(shapes.read_bytes())
        self._ledger = ConnectionPool(
            os.environ["DATABASE_URL"], kwargs={"cursor_factory": RawCursor}, max_size=THREADS
        )
        self._cluster_id = self._kind("v1", "Namespace").get(name="kube-system").metadata.uid

    def keep(self, name: str, uid: str, body: kopf.Body) -> dict[str, Any]:
        """Record the tenant and make its children what is wanted; returns its status."""
        spec, generation = body.spec, body.metadata["generation"]
        self._record(name, uid, body)
        phase = "Suspended" if spec["suspend"] else "Ready"
        wanted = self._wanted(name, uid, spec)
        for child in wanted:
            namespace = child["metadata"].get("namespace")
            kind = self._kind(child["apiVersion"], child["kind"])
            kind.server_side_apply(body=child, namespace=namespace, field_manager=MANAGER, force_conflicts=True)
        for child in self._wanted(name, uid, {**spec, "packages": ["search", "telegram"]}):
            if child["metadata"]["name"] not in {one["metadata"]["name"] for one in wanted}:
                self._delete(child)
        return {"phase": phase, "observedGeneration": generation, "tenantNamespace": f"tenant-{name}"}

    def end(self, name: str, uid: str, body: kopf.Body) -> None:
        """Delete the namespace, and all in it, and record the end."""
        self._delete(self._wanted(name, uid, body.spec)[0])
        self._record(name, uid, body)

    def _wanted(self, name: str, uid: str, spec: Any) -> list[dict[str, Any]]:
        shape = f"{'suspended' if spec['suspend'] else 'running'}/{','.join(sorted(spec['packages']))}"
        text = orjson.dumps(self._shapes[shape]).decode().replace("peer-name", name).replace("peer-uid", uid)
        found: list[dict[str, Any]] = orjson.loads(text)
        return found

    def _delete(self, child: dict[str, Any]) -> None:
        kind, metadata = self._kind(child["apiVersion"], child["kind"]), child["metadata"]
        try:
            kind.delete(name=metadata["name"], namespace=metadata.get("namespace"))
        except NotFoundError:
            return

    def _record(self, name: str, uid: str, body: kopf.Body) -> None:
        metadata, spec = body.metadata, body.spec
        organisation = metadata["labels"]["pieced.ch/org-id"]
        created_at, deleted_at = metadata["creationTimestamp"], metadata.get("deletionTimestamp")
        state = [metadata["generation"], spec["suspend"], list(spec["packages"]), deleted_at]
        with self._ledger.connection() as connection:
            connection.execute(RECORD, [self._cluster_id, uid, name, organisation, created_at, *state])

    def _kind(self, api_version: str, kind: str) -> Any:
        return self._cluster.resources.get(api_version=api_version, kind=kind)


def main(listen: str, shapes: str) -> None:
    """Run until SIGTERM, and serve the metrics meanwhile."""
    peer = Peer(Path(shapes))

    @kopf.on.startup()
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.scanning.disabled = True  # it may not read what kinds there are
        settings.posting.enabled = False
        settings.execution.max_workers = THREADS
        settings.persistence.progress_storage = kopf.AnnotationsProgressStorage()
        start_http_server(int(listen.rpartition(":")[2]), addr="127.0.0.1")

    @kopf.on.resume("piecedtenants")
    @kopf.on.create("piecedtenants")
    @kopf.on.update("piecedtenants")
    def keep(name: str, uid: str, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
        with IN_WORK.track_inprogress():
            patch.status.update(peer.keep(name, uid, body))
        HANDLED.inc()

    @kopf.on.delete("piecedtenants")
    def end(name: str, uid: str, body: kopf.Body, **_: Any) -> None:
        peer.end(name, uid, body)

    kopf.run(clusterwide=True, standalone=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
