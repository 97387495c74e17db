"""Every name that Pieced uses in Kubernetes, once: group, kinds, labels, annotations, finalizers, children."""

from hashlib import sha256

GROUP = "pieced.ch"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
TENANT_KIND = "PiecedTenant"
TENANT_PLURAL = "piecedtenants"
PACKAGE_KIND = "PiecedPackage"
PACKAGE_PLURAL = "piecedpackages"

FIELD_MANAGER = "pieced-operator"
OPERATOR_NAMESPACE = "pieced-system"
SEALS_NAMESPACE = "pieced-seals"
LEDGER_SEAL = "pieced-ledger-seal"
INVOICE_NUMBERS = "pieced-invoice-numbers"

BILLING_FINALIZER = "pieced.ch/billing"
IN_USE_FINALIZER = "pieced.ch/in-use"

ORG_LABEL = "pieced.ch/org-id"
TENANT_LABEL = "pieced.ch/tenant"
TENANT_UID_LABEL = "pieced.ch/tenant-uid"
PACKAGE_LABEL = "pieced.ch/package"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
COMPONENT_LABEL = "app.kubernetes.io/component"

LEDGER_ID_ANNOTATION = "pieced.ch/ledger-id"
RESUME_REQUESTED_ANNOTATION = "pieced.ch/resume-requested-at"
RESUME_REJECTED_ANNOTATION = "pieced.ch/resume-rejected-at"
MANIFEST_CHECKSUM_ANNOTATION = "pieced.ch/manifest-checksum"
CONFIG_CHECKSUM_ANNOTATION = "pieced.ch/config-checksum"
ARGOCD_INSTANCE_LABEL = "app.kubernetes.io/instance"
ARGOCD_TRACKING_ANNOTATION = "argocd.argoproj.io/tracking-id"

ASSISTANT = "assistant"
WORKSPACE = "workspace"
WORKSPACE_FILES = "workspace-files"
ASSISTANT_SETTINGS = "assistant-settings"

DNS_LABEL_LIMIT = 63
_NAMESPACE_PREFIX = "tenant-"
TENANT_NAME_LIMIT = DNS_LABEL_LIMIT - len(_NAMESPACE_PREFIX)


def namespace_of(tenant: str) -> str:
    """The namespace that holds everything of the tenant with this name."""
    return f"{_NAMESPACE_PREFIX}{tenant}"


def package_child(package: str) -> str:
    """The name of a package's Deployment, Service and network policy: a DNS label, whatever the id's length.

    The prefix keeps a package called `assistant` apart from the assistant, and lets an id begin with a digit, which the
    name of a Service may not. An id too long for both is cut and ends in a checksum of the whole.
    """
    name = f"package-{package}"
    if len(name) <= DNS_LABEL_LIMIT:
        return name
    checksum = sha256(package.encode()).hexdigest()[:8]
    return f"{name[: DNS_LABEL_LIMIT - 9]}-{checksum}"
