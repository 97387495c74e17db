"""What is said of a tenant beside its progress, aspect by aspect: packages, organisation, retention, volume, children.

Pure, as all that conditions are made of.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pieced_operator.desired.storage import Storage, StorageProblem
from pieced_operator.desired.suspension import Hold, Retention
from pieced_operator.instants import second_text
from pieced_operator.readiness import Failure

PACKAGES_AVAILABLE = "PackagesAvailable"
ORGANISATION_CHANGED = "OrganisationChanged"
RETENTION_PENDING = "RetentionPending"
STORAGE_DIFFERS = "StorageDiffers"
FAILING = "Failing"
"""In the type of the condition of a child that fails: `DeploymentFailing.assistant`."""

# A message names at most this many things; the API server bounds the whole.
_NAMED = 10
_MESSAGE_LIMIT = 32_768
# A tenant has at most 65 Deployments; beyond this many children that fail, the others say why.
_FAILING_LIMIT = 80
_FAILING_MESSAGE_LIMIT = 1_024


class Verdict(NamedTuple):
    """A condition without its times."""

    type: str
    status: str
    reason: str
    message: str


def packages(unknown: tuple[str, ...]) -> Verdict:
    """Whether the catalogue has every package that is ordered; `unknown` are the ids of those that it has not."""
    if unknown:
        message = (
            f"Not in the catalogue, so not run: {listed(unknown, separator=', ')}. What it never had is not billed."
        )
        to_do = "Apply a PiecedPackage of that name, or take the id out of spec.packages."
        return Verdict(PACKAGES_AVAILABLE, "False", "UnknownPackages", f"{message} {to_do}")
    return Verdict(PACKAGES_AVAILABLE, "True", "InCatalogue", "Every package is in the catalogue.")


def organisation(billed: str, labelled: str | None) -> Verdict:
    """The label does not name the organisation that is billed (any more)."""
    now = f"The label now names {labelled}" if labelled else "The label was removed"
    message = f"{now}; organisation {billed}, the first, is billed. Set the label back, or create another tenant."
    return Verdict(ORGANISATION_CHANGED, "True", "LabelChanged" if labelled else "LabelRemoved", message)


def deletion_announced(days: int) -> str:
    """The reason of RetentionPending from so many days before the deletion on."""
    return f"DeletionWithin{days}Day{'s' if days > 1 else ''}"


def retention(pending: Retention, now: datetime) -> Verdict:
    """When a suspended tenant is deleted, or what keeps it; the reason says which announcement is due."""
    due = second_text(pending.due_at)
    since = f"Suspended since {second_text(pending.suspended_at)}"
    match pending.hold:
        case Hold.RESUME_REQUESTED:
            message = f"{since}; a request to resume is open, so the tenant is not deleted on {due}."
        case Hold.ARGO_CD:
            message = (
                f"{since}; due for deletion on {due}, but Argo CD tracks the tenant: remove its manifest from Git."
            )
        case None:
            message = f"{since}; the tenant and its data are deleted on {due} unless it is resumed."
    days = pending.announced_days(now)
    reason = pending.hold or ("DeletionScheduled" if days is None else deletion_announced(days))
    return Verdict(RETENTION_PENDING, "True", reason, message)


def storage(volume: Storage, problem: StorageProblem) -> Verdict:
    """The volume does not get the size that is ordered."""
    kept = f"The volume stays at {volume.size} although {volume.ordered} is ordered"
    match problem:
        case StorageProblem.CANNOT_SHRINK:
            message = f"{kept}: a volume can grow, never shrink. Order {volume.size} or more."
        case StorageProblem.NOT_BOUND:
            message = f"{kept}: it grows as soon as it is bound."
    return Verdict(STORAGE_DIFFERS, "True", problem, message)


def failing(failures: Iterable[Failure]) -> Iterator[Verdict]:
    """One condition for each child that fails; of several failures of one child the first."""
    of_child: dict[str, Failure] = {}
    for failure in failures:
        of_child.setdefault(f"{failure.kind}{FAILING}.{failure.name}", failure)
    for condition_type, failure in list(of_child.items())[:_FAILING_LIMIT]:
        yield Verdict(condition_type, "True", failure.reason, failure.message[:_FAILING_MESSAGE_LIMIT])


def listed(texts: tuple[str, ...], separator: str = " ") -> str:
    """Texts as one, however many: the first few, and how many more there are."""
    rest = len(texts) - _NAMED
    shown = separator.join(texts[:_NAMED]) + (f" (and {rest} more)" if rest > 0 else "")
    return shown[:_MESSAGE_LIMIT]
