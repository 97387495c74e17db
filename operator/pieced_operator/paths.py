"""Where each kind of object is found at the API server."""

from pieced_operator.desired.children import CHILD_KINDS
from pieced_operator.names import GROUP, PACKAGE_PLURAL, TENANT_PLURAL, VERSION

TENANTS = f"/apis/{GROUP}/{VERSION}/{TENANT_PLURAL}"
PACKAGES = f"/apis/{GROUP}/{VERSION}/{PACKAGE_PLURAL}"
NAMESPACES = "/api/v1/namespaces"
PODS = "/api/v1/pods"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"

_CHILDREN = {kind.kind: kind for kind in CHILD_KINDS}


def tenant(name: str) -> str:
    """One PiecedTenant."""
    return f"{TENANTS}/{name}"


def package(name: str) -> str:
    """One PiecedPackage."""
    return f"{PACKAGES}/{name}"


def events_about(kind: str, name: str, namespace: str) -> str:
    """The Kubernetes Events about one object of a namespace."""
    about = f"regarding.kind%3D{kind}%2Cregarding.name%3D{name}"
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events?fieldSelector={about}"


def children(kind: str) -> str:
    """All objects of a kind of children, in every namespace."""
    api_version, plural = _CHILDREN[kind].api_version, _CHILDREN[kind].plural
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/{plural}"


def child(kind: str, name: str, namespace: str) -> str:
    """One child of a tenant that has this namespace."""
    if not _CHILDREN[kind].namespaced:
        return f"{children(kind)}/{name}"
    root, _, plural = children(kind).rpartition("/")
    return f"{root}/namespaces/{namespace}/{plural}/{name}"
