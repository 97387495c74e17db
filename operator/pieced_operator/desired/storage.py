"""How large a tenant's volume is to be: what is ordered, as far as a volume can become it. It grows, never shrinks."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from pieced_operator.quantity import canonical, parse
from pieced_operator.tenant import Tenant


class StorageProblem(StrEnum):
    """Why the volume keeps another size than the one that is ordered."""

    CANNOT_SHRINK = "CannotShrink"
    NOT_BOUND = "VolumeNotBound"
    """Kubernetes lets only a bound claim grow."""


class Storage(NamedTuple):
    """The size that the claim asks for, the one that is ordered, and why they differ where they do."""

    size: str
    ordered: str
    problem: StorageProblem | None


def storage(tenant: Tenant, claim: Mapping[str, Any] | None) -> Storage:
    """The size for the tenant's live claim (None: there is none yet).

    A volume that has the ordered size or less is asked to grow. One that never reached what it was asked for may be
    asked for less, down to what it has: a growth that failed is taken back so.
    """
    ordered = canonical(tenant.spec.storage_size)
    if claim is None:
        return Storage(ordered, ordered, None)
    requested: str = claim.get("spec", {}).get("resources", {}).get("requests", {}).get("storage", ordered)
    if parse(requested) == parse(ordered):
        return Storage(ordered, ordered, None)
    status = claim.get("status", {})
    grows = _bytes(requested) < _bytes(ordered)
    if status.get("phase") != "Bound":
        return Storage(requested, ordered, StorageProblem.NOT_BOUND if grows else StorageProblem.CANNOT_SHRINK)
    if grows or _capacity(status, requested) < _bytes(ordered):
        return Storage(ordered, ordered, None)
    return Storage(requested, ordered, StorageProblem.CANNOT_SHRINK)


def with_storage(tenant: Tenant, size: str) -> Tenant:
    """The tenant as if it had ordered this size: volume and quota follow."""
    return replace(tenant, spec=tenant.spec.model_copy(update={"storage_size": size}))


def _capacity(status: Mapping[str, Any], requested: str) -> int:
    """What the volume has; storage drivers may spell it in ways that we do not read, then what was asked for."""
    try:
        return _bytes(status["capacity"]["storage"])
    except (KeyError, ValueError):
        return _bytes(requested)


def _bytes(quantity: str) -> int:
    return parse(quantity).thousandths
