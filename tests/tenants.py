"""Tenants and a catalogue for tests: resources as the API server gives them."""

from typing import Any

from pieced_operator.package import Package, decode_package
from pieced_operator.tenant import Tenant, decode_tenant

RICH_SPEC: dict[str, Any] = {
    "displayName": "Bäckerei Zünd & Söhne",
    "packages": ["searxng-local-search", "1-telegram", "threema"],
    "suspend": False,
    "agentId": "ada",
    "agentName": "Ada",
    "storageSize": "2048Mi",
    "workspaceFiles": {"SOUL.md": "# Ada\nBe brief.\n", "TOOLS.md": "Search first: «suchen».\n"},
    "channelUsers": {"threema": ["ECHOECHO", "ABCD1234"], "1-telegram": ["881204417"]},
    "openClawImage": {"tag": "2026.12.0"},
}

PACKAGES: list[dict[str, Any]] = [
    {
        "metadata": {"name": "searxng-local-search"},
        "spec": {
            "displayName": "Local search",
            "image": "searxng/searxng:2026.11.2",
            "command": ["/usr/local/bin/searxng"],
            "args": ["--port", "8080"],
            "env": [{"name": "LIMITER", "value": "false"}, {"name": "EMPTY"}],
            "ports": [{"name": "http", "port": 8080}, {"name": "dns", "port": 8080, "protocol": "UDP"}],
            "resources": {
                "requests": {"cpu": "0.1", "memory": "131072Ki"},
                "limits": {"cpu": "1500m", "memory": "0.5Gi"},
            },
            "egress": [
                {"cidr": "192.0.2.0/24", "port": 443},
                {"cidr": "2001:db8::/32", "port": 53, "protocol": "UDP"},
            ],
        },
    },
    {"metadata": {"name": "1-telegram"}, "spec": {"displayName": "Telegram", "image": "pieced/telegram:1.4.0"}},
    {
        "metadata": {"name": "threema"},
        "spec": {
            "displayName": "Threema",
            "image": "pieced/threema:1.4.0",
            "ports": [{"name": "callbacks", "port": 8443, "protocol": "TCP"}],
        },
    },
]

CATALOGUE: dict[str, Package] = {package["metadata"]["name"]: decode_package(package) for package in PACKAGES}


def tenant(name: str = "acme", *, spec: dict[str, Any] | None = None, **metadata: Any) -> Tenant:
    """A decoded tenant; `metadata` adds to or replaces the usual one, `status` among it is the resource's."""
    return decode_tenant(resource(name, spec=spec, **metadata))


def resource(name: str = "acme", *, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A PiecedTenant as JSON."""
    status = metadata.pop("status", {})
    return {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {
            "name": name,
            "uid": "6f1c2f4e-6a55-4a5e-9d39-0d1f6d0c7a11",
            "generation": 1,
            "creationTimestamp": "2026-03-01T09:00:00Z",
            "labels": {"pieced.ch/org-id": "310001"},
            **metadata,
        },
        "spec": {"displayName": name, **(spec or {})},
        "status": status,
    }
