"""The tenant: what a customer ordered (`spec`), what the operator says about it (`status`), and who it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pieced_operator.names import ORG_LABEL, TENANT_KIND, TENANT_NAME_LIMIT
from pieced_operator.schema import (
    ALWAYS_PRESENT,
    ATOMIC,
    QuantityText,
    ResourceInvalid,
    SpecModel,
    cel,
    is_dns_label,
    is_one_line,
    list_map,
    positive_quantity,
    spec_invalid,
)

PackageId = Annotated[str, Field(min_length=1, max_length=63, json_schema_extra=cel(is_dns_label("a package id")))]
WorkspaceFile = Annotated[str, Field(max_length=262_144)]
ChannelUser = Annotated[str, Field(min_length=1, max_length=128)]
ChannelUsers = Annotated[tuple[ChannelUser, ...], Field(strict=False, max_length=256, json_schema_extra=ATOMIC)]


class OpenClawImage(SpecModel):
    """Another image of the assistant, for this tenant only; what is left out is the platform's."""

    repository: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=255,
            description="Image repository without a tag.",
            json_schema_extra=cel(
                (
                    r"self.matches(r'^[a-z0-9][a-zA-Z0-9._:/-]*[a-z0-9]$') && !self.matches(r':[^/]*$')",
                    "openClawImage.repository must be an image repository without a tag",
                )
            ),
        ),
    ] = None
    tag: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            description="Image tag.",
            json_schema_extra=cel(
                (r"self.matches(r'^[A-Za-z0-9_][A-Za-z0-9_.-]*$')", "openClawImage.tag must be an image tag")
            ),
        ),
    ] = None


class TenantSpec(SpecModel):
    """What a customer ordered: one assistant, its packages and its workspace."""

    display_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Human-readable name of the tenant.",
            json_schema_extra=cel(is_one_line("displayName")),
        ),
    ]
    packages: Annotated[
        tuple[PackageId, ...],
        Field(
            strict=False,
            max_length=64,
            description="Ids of the packages that are switched on, from the catalogue of PiecedPackages.",
            # Always present, so that taking the field away is a change of it, with a time in managedFields.
            json_schema_extra={ALWAYS_PRESENT: True}
            | ATOMIC
            | cel(("self.all(id, self.exists_one(other, other == id))", "packages must not name an id twice")),
        ),
    ] = ()
    suspend: Annotated[
        bool, Field(description="True while the tenant is cancelled or paused: nothing runs, its data is kept.")
    ] = False
    agent_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            description="Identifier of the assistant.",
            json_schema_extra=cel(is_dns_label("agentId")),
        ),
    ] = "assistant"
    agent_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Name by which the assistant introduces itself.",
            json_schema_extra=cel(is_one_line("agentName")),
        ),
    ] = "Assistant"
    storage_size: Annotated[QuantityText, positive_quantity("storageSize", "Size of the workspace volume.")] = "5Gi"
    workspace_files: Annotated[
        dict[str, WorkspaceFile],
        Field(
            max_length=32,
            description="Files that are put on the workspace volume once; what they become later lives on the volume.",
            json_schema_extra=cel(
                (
                    "self.all(name, name.size() <= 253 && name.matches('^[A-Za-z0-9_][-._A-Za-z0-9]*$'))",
                    "workspaceFiles must be keyed by plain file names: letters, digits, '.', '_' and '-'",
                ),
                (
                    "self.map(name, bytes(self[name]).size()).sum() <= 900000",
                    "workspaceFiles must not hold more than 900000 bytes in all",
                ),
            ),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies a default for each instance
    channel_users: Annotated[
        dict[str, ChannelUsers],
        Field(
            max_length=16,
            description="Per channel, the users who may talk to the assistant.",
            json_schema_extra=cel(
                (
                    "self.all(channel, channel.size() <= 63 && channel.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
                    "channelUsers must be keyed by channel ids, which are DNS labels",
                )
            ),
        ),
    ] = {}  # noqa: RUF012 - pydantic copies a default for each instance
    open_claw_image: Annotated[
        OpenClawImage | None, Field(description="Another image of the assistant, for this tenant only.")
    ] = None


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


def decode_status(resource: Mapping[str, Any]) -> TenantStatus:
    """A PiecedTenant's status; one that does not fit the schema is as good as none, the operator writes it anew."""
    try:
        return TenantStatus.model_validate(resource.get("status") or {})
    except ValidationError:
        return TenantStatus()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
