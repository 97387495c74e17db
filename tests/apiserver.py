"""The real API server, without a kubectl process for every request."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError

from tests.clusters import Cluster

Json = dict[str, Any]
T = TypeVar("T")


class ApiServer:
    """Requests as administrator; `manager` is the field manager that writes."""

    def __init__(self, cluster: Cluster) -> None:
        connection = config.new_client_from_config(str(cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._client = DynamicClient(connection)  # type: ignore[no-untyped-call]

    def refusal(self, manifest: Mapping[str, Any]) -> str:
        """Try to create something, without creating it; the message of the refusal, or nothing."""
        try:
            self._resource(manifest).create(body=manifest, dry_run="All")
        except ApiException as error:
            message: str = json.loads(error.body or "{}")["message"]
            return message
        return ""

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Json:
        """Create something; returns it as the API server sees it."""
        return self._dict(self._resource(manifest).create(body=manifest, **({"dry_run": "All"} if dry_run else {})))

    def apply(self, manifest: Mapping[str, Any], *, manager: str) -> Json:
        """Server-side apply, by force."""
        resource = self._resource(manifest)
        answer = resource.server_side_apply(
            body=manifest, field_manager=manager, force_conflicts=True, **self._place(manifest)
        )
        return self._dict(answer)

    def patch(self, manifest: Mapping[str, Any], patch: Mapping[str, Any], *, manager: str) -> Json:
        """A strategic merge patch (for our own kinds a merge patch) of the object that `manifest` names."""
        kind = "merge" if "pieced.ch" in manifest["apiVersion"] else "strategic-merge"
        answer = self._resource(manifest).patch(
            body=patch, content_type=f"application/{kind}-patch+json", field_manager=manager, **self._place(manifest)
        )
        return self._dict(answer)

    def get(self, manifest: Mapping[str, Any]) -> Json | None:
        """The live object that `manifest` names, or None."""
        try:
            return self._dict(self._resource(manifest).get(**self._place(manifest)))
        except NotFoundError:
            return None

    def list(self, api_version: str, kind: str, namespace: str) -> list[Json]:
        """All objects of a kind in a namespace."""
        found = self._client.resources.get(api_version=api_version, kind=kind).get(namespace=namespace)
        items: list[Json] = self._dict(found)["items"]
        return items

    def delete(self, manifest: Mapping[str, Any]) -> None:
        """Delete the object that `manifest` names."""
        self._resource(manifest).delete(**self._place(manifest))

    def close(self) -> None:
        """Give the connections back."""
        self._client.client.close()

    def _resource(self, manifest: Mapping[str, Any]) -> Any:
        return self._client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])

    @staticmethod
    def _place(manifest: Mapping[str, Any]) -> Json:
        metadata = manifest["metadata"]
        return {key: metadata[key] for key in ("name", "namespace") if key in metadata}

    @staticmethod
    def _dict(answer: Any) -> Json:
        found: Json = answer.to_dict()
        return found


@contextmanager
def api_server(cluster: Cluster) -> Iterator[ApiServer]:
    """Connections to a cluster, for as long as the block lasts."""
    api = ApiServer(cluster)
    try:
        yield api
    finally:
        api.close()


def awaited(ask: Callable[[], T], expected: Callable[[T], bool], *, seconds: float = 60) -> T:
    """Ask until the answer is as expected; fails with the last answer when that takes too long."""
    deadline = time.monotonic() + seconds
    while not expected(answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds} s still: {answer}"
        time.sleep(0.05)
    return answer
