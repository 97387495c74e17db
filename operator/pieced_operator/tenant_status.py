"""What the operator says about a tenant: the `status` of a PiecedTenant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pieced_operator.schema import ATOMIC, SpecModel, list_map
from pieced_operator.tenant_spec import PackageId


class Condition(SpecModel):
    """One aspect of a tenant's state (Kubernetes API conventions, kstatus)."""

    type: Annotated[str, Field(min_length=1, max_length=316, description="What is said something about.")]
    status: Annotated[
        str,
        Field(description="Whether it holds.", json_schema_extra={"enum": ["True", "False", "Unknown"]}),
    ]
    reason: Annotated[str, Field(min_length=1, max_length=1024, description="Why, in one CamelCase word.")]
    message: Annotated[str, Field(max_length=32_768, description="Why, for a person.")] = ""
    last_transition_time: Annotated[datetime, Field(strict=False, description="When status last changed.")]
    observed_generation: Annotated[
        int, Field(ge=0, description="The generation of the resource that this was said about.")
    ] = 0


class Cost(SpecModel):
    """What the tenant costs in a month, without VAT. Amounts are text with two decimals, as on a bill."""

    period: Annotated[str, Field(max_length=7, description="The month that is meant, such as 2026-03.")]
    currency: Annotated[str, Field(max_length=3, description="The currency of the amounts.")]
    month_to_date: Annotated[
        str, Field(max_length=32, description="What is due by now: what happened, and days that have begun.")
    ]
    forecast: Annotated[
        str, Field(max_length=32, description="What will be due at the end of the month if nothing changes any more.")
    ]


class UnrecordedVersion(SpecModel):
    """A version that the operator saw while the ledger's database was away: what it will tell the ledger of it."""

    generation: Annotated[int, Field(ge=0, description="The generation of the resource.")]
    resource_version: Annotated[
        str, Field(min_length=1, max_length=20, pattern="^[0-9]+$", description="Its resource version.")
    ]
    existed_from: Annotated[datetime, Field(strict=False, description="Since when the tenant exists for the ledger.")]
    existed_not_before: Annotated[
        datetime | None, Field(strict=False, description="The earliest that it can have begun, where that is not sure.")
    ] = None
    suspended: Annotated[bool, Field(description="Whether it was suspended.")]
    suspend_changed_at: Annotated[
        datetime | None, Field(strict=False, description="When spec.suspend was last written, where that is known.")
    ] = None
    packages: Annotated[
        tuple[PackageId, ...],
        Field(
            strict=False, max_length=64, description="Its packages that the catalogue had.", json_schema_extra=ATOMIC
        ),
    ] = ()
    packages_changed_at: Annotated[
        datetime | None, Field(strict=False, description="When spec.packages was last written, where that is known.")
    ] = None
    written_at: Annotated[datetime, Field(strict=False, description="The latest write known of this version.")]
    seen_at: Annotated[datetime, Field(strict=False, description="By when it was written, by the API server's clock.")]
    asked_at: Annotated[
        datetime | None, Field(strict=False, description="When it was asked for, where a list had it and no watch.")
    ] = None
    deleted_at: Annotated[
        datetime | None, Field(strict=False, description="Its deletionTimestamp, where it has one.")
    ] = None
    manager: Annotated[str | None, Field(max_length=253, description="Who wrote it.")] = None


UNRECORDED_LIMIT = 32
"""So many versions a status keeps at most."""


class TenantStatus(SpecModel):
    """What the operator last said about a tenant."""

    observed_generation: Annotated[
        int | None, Field(ge=0, description="The generation that the operator last worked on.")
    ] = None
    phase: Annotated[
        str | None,
        Field(max_length=63, description="The conditions in one word: Pending, Ready, Suspended, Stalled or Deleting."),
    ] = None
    organisation: Annotated[
        str | None,
        Field(
            max_length=63, description="The organisation that is billed: the first that the tenant was labelled with."
        ),
    ] = None
    tenant_namespace: Annotated[
        str | None, Field(max_length=63, description="The namespace that holds everything of the tenant.")
    ] = None
    suspended_at: Annotated[datetime | None, Field(strict=False, description="Since when the tenant is suspended.")] = (
        None
    )
    deletion_due_at: Annotated[
        datetime | None,
        Field(
            strict=False,
            description="When the suspended tenant and its data are deleted, unless it is resumed; absent while"
            " something holds that.",
        ),
    ] = None
    litellm_key_alias: Annotated[
        str | None, Field(max_length=253, description="Alias of the tenant's virtual key in LiteLLM.")
    ] = None
    cost: Annotated[Cost | None, Field(description="What the tenant costs this month, without VAT.")] = None
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            strict=False,
            max_length=100,
            description="The tenant's state, aspect by aspect.",
            json_schema_extra=list_map("type"),
        ),
    ] = ()
    unrecorded: Annotated[
        tuple[UnrecordedVersion, ...],
        Field(
            strict=False,
            max_length=UNRECORDED_LIMIT,
            description="Versions that the ledger has not been told yet because its database was away; the operator"
            " writes them and clears them. Of more than 32 the newest replaces those before it.",
            json_schema_extra=ATOMIC,
        ),
    ] = ()


def decode_status(resource: Mapping[str, Any]) -> TenantStatus:
    """A PiecedTenant's status; one that does not fit the schema is as good as none, the operator writes it anew."""
    try:
        return TenantStatus.model_validate(resource.get("status") or {})
    except ValidationError:
        return TenantStatus()
