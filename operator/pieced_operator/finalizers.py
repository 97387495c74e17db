"""Finalizers: put on and taken off only from exactly the version that the decision was made on."""

from typing import Any

from pieced_operator.cluster import Cluster, Resource


async def add_finalizer(cluster: Cluster, path: str, resource: Resource, finalizer: str) -> Resource:
    """Put a finalizer on an object; Conflict when it has changed since it was read."""
    return await _edit(cluster, path, resource, _with(resource, finalizer))


async def add_finalizer_and_annotation(
    cluster: Cluster, path: str, resource: Resource, finalizer: str, key: str, value: str
) -> Resource:
    """Put a finalizer and an annotation on an object in one write; Conflict when it has changed since it was read."""
    annotation: dict[str, Any]
    if "annotations" in resource["metadata"]:
        escaped = key.replace("~", "~0").replace("/", "~1")
        annotation = {"op": "add", "path": f"/metadata/annotations/{escaped}", "value": value}
    else:
        annotation = {"op": "add", "path": "/metadata/annotations", "value": {key: value}}
    return await _edit(cluster, path, resource, _with(resource, finalizer), annotation)


async def remove_finalizer(cluster: Cluster, path: str, resource: Resource, finalizer: str) -> Resource:
    """Take a finalizer off an object; Conflict when it has changed since it was read."""
    left = [name for name in resource["metadata"].get("finalizers", ()) if name != finalizer]
    return await _edit(cluster, path, resource, _finalizers(left))


def _with(resource: Resource, finalizer: str) -> dict[str, Any]:
    others = (name for name in resource["metadata"].get("finalizers", ()) if name != finalizer)
    return _finalizers([*others, finalizer])


def _finalizers(names: list[str]) -> dict[str, Any]:
    return {"op": "add", "path": "/metadata/finalizers", "value": names}


async def _edit(cluster: Cluster, path: str, resource: Resource, *changes: dict[str, Any]) -> Resource:
    metadata = resource["metadata"]
    same = [
        {"op": "test", "path": f"/metadata/{field}", "value": metadata[field]} for field in ("uid", "resourceVersion")
    ]
    return await cluster.edit(path, [*same, *changes])
