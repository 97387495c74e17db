"""The tenants of a measurement: all but a few suspended, in organisations, with two packages each."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from pieced_operator import paths
from pieced_operator.cluster import Cluster

RUNNING = 200
PACKAGES = ("search", "telegram")
ORGANISATIONS = 500
IN_FLIGHT = 24


def names(tenants: int) -> list[str]:
    """The names of that many tenants: the first of them run, the others are suspended."""
    return [f"tenant-{number:05}" for number in range(tenants)]


async def make_packages(api: Cluster) -> None:
    """Make the catalogue."""
    await _all_of(api.create(paths.PACKAGES, package(name)) for name in PACKAGES)


async def make_tenants(api: Cluster, tenants: int) -> None:
    """Make the tenants."""
    wanted = enumerate(names(tenants))
    await _all_of(api.create(paths.TENANTS, _tenant(number, name)) for number, name in wanted)


async def _all_of(requests: Iterable[Awaitable[Any]]) -> None:
    """Make requests, a bounded number at a time."""
    waiting = iter(requests)

    async def some() -> None:
        for request in waiting:
            await request

    await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))


def _tenant(number: int, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": name, "labels": {"pieced.ch/org-id": f"org-{number % ORGANISATIONS}"}},
        "spec": {"displayName": name, "packages": list(PACKAGES), "suspend": number >= RUNNING},
    }


def package(name: str) -> dict[str, Any]:
    """The manifest of a package."""
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedPackage",
        "metadata": {"name": name},
        "spec": {"displayName": name, "image": f"example/{name}:1", "ports": [{"name": "http", "port": 8080}]},
    }
