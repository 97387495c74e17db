"""The assistant: its Deployment, which seeds the workspace before it starts, and its Service."""

from typing import Any

from pieced_operator.desired.manifest import Manifest, checksum
from pieced_operator.desired.quota import container_resources
from pieced_operator.desired.settings import Settings
from pieced_operator.desired.workload import (
    CONTAINER_SECURITY,
    SCRATCH,
    SCRATCH_MOUNT,
    deployment,
    listening,
    service,
)
from pieced_operator.names import (
    ASSISTANT,
    ASSISTANT_SETTINGS,
    COMPONENT_LABEL,
    CONFIG_CHECKSUM_ANNOTATION,
    WORKSPACE,
    WORKSPACE_FILES,
)
from pieced_operator.package import Port
from pieced_operator.tenant import Tenant

SELECTOR = {COMPONENT_LABEL: ASSISTANT}
PORTS = (Port(name="gateway", port=18789),)

# A file that is on the volume stays as it is, whatever the tenant's spec says now.
SEED_SCRIPT = """\
set -eu
for seed in /seed/*; do
  [ -f "$seed" ] || continue
  file="/workspace/${seed##*/}"
  [ -e "$file" ] || { cp "$seed" "$file.seeding" && mv "$file.seeding" "$file"; }
done
"""


def assistant_deployment(tenant: Tenant, settings: Settings) -> Manifest:
    """The assistant's Deployment; it starts anew when files to seed or the allowed users change."""
    spec = tenant.spec
    workspace_mount = {"name": WORKSPACE, "mountPath": "/workspace"}
    common: dict[str, Any] = {
        "image": image(tenant, settings),
        "resources": container_resources(settings.assistant_resources),
        "securityContext": CONTAINER_SECURITY,
    }
    seeding = {
        "name": "seed",
        **common,
        "command": ["sh", "-c", SEED_SCRIPT],
        "volumeMounts": [workspace_mount, {"name": WORKSPACE_FILES, "mountPath": "/seed", "readOnly": True}],
    }
    running = {
        "name": ASSISTANT,
        **common,
        "env": [
            {"name": "HOME", "value": "/workspace"},
            {"name": "PIECED_AGENT_ID", "value": spec.agent_id},
            {"name": "PIECED_AGENT_NAME", "value": spec.agent_name},
        ],
        "volumeMounts": [
            workspace_mount,
            {"name": ASSISTANT_SETTINGS, "mountPath": "/etc/pieced", "readOnly": True},
            SCRATCH_MOUNT,
        ],
        **listening(PORTS),
    }
    pod = {
        "initContainers": [seeding],
        "containers": [running],
        "volumes": [
            {"name": WORKSPACE, "persistentVolumeClaim": {"claimName": WORKSPACE}},
            {"name": WORKSPACE_FILES, "configMap": {"name": WORKSPACE_FILES}},
            {"name": ASSISTANT_SETTINGS, "configMap": {"name": ASSISTANT_SETTINGS}},
            SCRATCH,
        ],
    }
    return deployment(
        tenant,
        ASSISTANT,
        SELECTOR,
        pod,
        # The old pod goes before the new one comes: they share a volume. Not by `Recreate`, because the parameters that
        # somebody else's `RollingUpdate` leaves behind would make the API server refuse it for ever after.
        strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        annotations={CONFIG_CHECKSUM_ANNOTATION: checksum([spec.workspace_files, spec.channel_users])},
    )


def assistant_service(tenant: Tenant) -> Manifest:
    """The Service by which the tenant's packages reach the assistant."""
    return service(tenant, ASSISTANT, SELECTOR, PORTS)


def image(tenant: Tenant, settings: Settings) -> str:
    """The assistant's image: the platform's, in whatever the tenant does not override."""
    override = tenant.spec.open_claw_image
    repository = (override and override.repository) or settings.assistant_repository
    tag = (override and override.tag) or settings.assistant_tag
    return f"{repository}:{tag}"
