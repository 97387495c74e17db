"""The tenant's data and what is written into it: the volume, the files that it starts with, who may talk to whom."""

import orjson

from pieced_operator.desired.manifest import Manifest, child
from pieced_operator.names import ASSISTANT_SETTINGS, WORKSPACE, WORKSPACE_FILES
from pieced_operator.quantity import canonical
from pieced_operator.tenant import Tenant


def volume(tenant: Tenant) -> Manifest:
    """The claim of the workspace volume, of the cluster's default storage class."""
    return child(
        tenant,
        "v1",
        "PersistentVolumeClaim",
        WORKSPACE,
        spec={
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": canonical(tenant.spec.storage_size)}},
        },
    )


def workspace_files(tenant: Tenant) -> Manifest:
    """The files that are put on the volume where they are absent."""
    files = tenant.spec.workspace_files
    # The API server leaves out an empty map, which would then never equal the wanted one.
    return child(tenant, "v1", "ConfigMap", WORKSPACE_FILES, **({"data": dict(files)} if files else {}))


def assistant_settings(tenant: Tenant) -> Manifest:
    """What the assistant reads at its start: per channel, the users who may talk to it."""
    allowed = orjson.dumps(tenant.spec.channel_users, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    return child(tenant, "v1", "ConfigMap", ASSISTANT_SETTINGS, data={"channel-users.json": allowed.decode()})
