"""One PiecedTenant as the operator works with it: who it is, what was ordered, and what was said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from pieced_operator.names import ORG_LABEL, TENANT_KIND, TENANT_NAME_LIMIT
from pieced_operator.schema import ResourceInvalid, spec_invalid
from pieced_operator.tenant_spec import TenantSpec
from pieced_operator.tenant_status import TenantStatus, decode_status


@dataclass(frozen=True, slots=True)
class Tenant:
    """One PiecedTenant as the API server gave it, decoded."""

    name: str
    uid: str
    generation: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    created_at: datetime
    deletion_started_at: datetime | None
    spec: TenantSpec
    status: TenantStatus

    def org(self, label: str = ORG_LABEL) -> str | None:
        """The organisation that the tenant belongs to, or None when it has no such label."""
        return self.labels.get(label) or None


def decode_tenant(resource: Mapping[str, Any]) -> Tenant:
    """A PiecedTenant from its JSON; raises ResourceInvalid when its name or its spec does not fit the schema."""
    metadata = resource["metadata"]
    _require_servable(metadata["name"])
    try:
        spec = TenantSpec.model_validate(resource.get("spec", {}))
    except ValidationError as error:
        raise spec_invalid(f"{TENANT_KIND} {metadata['name']}", error) from None
    return Tenant(
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        deletion_started_at=_instant(metadata.get("deletionTimestamp")),
        spec=spec,
        status=decode_status(resource),
    )


def _require_servable(name: str) -> None:
    """Raise ResourceInvalid for a name of which no namespace's can be made: it cannot be changed, only replaced."""
    if len(name) > TENANT_NAME_LIMIT or "." in name:
        raise ResourceInvalid(
            f"{TENANT_KIND} {name}",
            "metadata.name",
            f"must have at most {TENANT_NAME_LIMIT} characters and no dot, for the namespace is named tenant-NAME; "
            "create the tenant under another name",
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
