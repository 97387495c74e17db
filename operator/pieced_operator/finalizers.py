"""Finalizers: put on and taken off only from exactly the version that the decision was made on."""

from pieced_operator.cluster import Cluster, Resource


async def add_finalizer(cluster: Cluster, path: str, resource: Resource, finalizer: str) -> Resource:
    """Put a finalizer on an object; Conflict when it has changed since it was read."""
    return await _set(cluster, path, resource, [*resource["metadata"].get("finalizers", ()), finalizer])


async def remove_finalizer(cluster: Cluster, path: str, resource: Resource, finalizer: str) -> Resource:
    """Take a finalizer off an object; Conflict when it has changed since it was read."""
    left = [name for name in resource["metadata"].get("finalizers", ()) if name != finalizer]
    return await _set(cluster, path, resource, left)


async def _set(cluster: Cluster, path: str, resource: Resource, finalizers: list[str]) -> Resource:
    metadata = resource["metadata"]
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
    ]
    return await cluster.edit(path, operations)
