"""`python -m benchmarks.peer.shapes`: the children of every shape of tenant, for operators that do not know Pieced.

JSON: for `suspended` or `running`, a slash and the packages with commas between them, the manifests in the order in
which to apply them, with NAME and UID where a tenant's name and uid belong.
"""

import sys
from itertools import combinations
from typing import Any

import orjson

from benchmarks.operator.population import PACKAGES, package
from pieced_operator.desired.children import desired_children
from pieced_operator.desired.settings import Settings
from pieced_operator.package import decode_package
from pieced_operator.tenant import decode_tenant

NAME, UID = "peer-name", "peer-uid"


def shapes() -> dict[str, list[dict[str, Any]]]:
    """The manifests by shape."""
    catalogue = {name: decode_package(package(name)) for name in PACKAGES}
    found = {}
    for suspended in (False, True):
        for count in range(len(PACKAGES) + 1):
            for packages in combinations(PACKAGES, count):
                spec = {"displayName": NAME, "packages": list(packages), "suspend": suspended}
                metadata = {"name": NAME, "uid": UID, "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
                tenant = decode_tenant({"metadata": metadata, "spec": spec})
                key = f"{'suspended' if suspended else 'running'}/{','.join(packages)}"
                found[key] = desired_children(tenant, catalogue, Settings())
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(shapes(), option=orjson.OPT_INDENT_2))
