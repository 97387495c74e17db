"""What a customer orders: the `spec` of a PiecedTenant."""

from typing import Annotated

from pydantic import Field

from pieced_operator.schema import (
    ALWAYS_PRESENT,
    ATOMIC,
    QuantityText,
    SpecModel,
    cel,
    is_dns_label,
    is_one_line,
    positive_quantity,
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
