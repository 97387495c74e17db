"""A package that a tenant uses stays in the cluster: the finalizer that says so goes on and off here."""

from pieced_billing import faults
from pieced_operator import paths
from pieced_operator.catalogue import CatalogueEntry
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.finalizers import add_finalizer, remove_finalizer
from pieced_operator.inbox import Inbox
from pieced_operator.names import IN_USE_FINALIZER


async def reconcile_package(cluster: Cluster, inbox: Inbox, name: str) -> None:
    """Give a package the finalizer when a tenant names it, take it off when none does any more.

    Raises Unavailable, or Conflict when the package has changed meanwhile.
    """
    entry = inbox.catalogue.entry(name)
    if entry is None:
        return
    used = bool(inbox.tenants.users_of(name))
    if used == entry.in_use or (used and entry.leaving):  # what is being deleted takes no new finalizer
        return
    change = add_finalizer if used else remove_finalizer
    faults.point("package.before_finalizer")
    changed = await change(cluster, paths.package(name), _reference(entry), IN_USE_FINALIZER)
    faults.point("package.after_finalizer")
    inbox.package(changed)


def _reference(entry: CatalogueEntry) -> Resource:
    return {
        "metadata": {
            "name": entry.id,
            "uid": entry.uid,
            "resourceVersion": entry.resource_version,
            "finalizers": entry.finalizers,
        }
    }
