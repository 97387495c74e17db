"""A suspended tenant: since when it is, when its data is deleted, and when that is announced."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pieced_operator.names import (
    ARGOCD_INSTANCE_LABEL,
    ARGOCD_TRACKING_ANNOTATION,
    RESUME_REJECTED_ANNOTATION,
    RESUME_REQUESTED_ANNOTATION,
)
from pieced_operator.tenant import Tenant

ANNOUNCED_DAYS: Final = (1, 7, 14)
"""So many days before a deletion it is announced, ascending."""

_CLOCKS_DIFFER: Final = timedelta(days=1)
"""So far, generously, the clock behind an annotation may be from the API server's."""


class Hold(StrEnum):
    """Why a suspended tenant is not deleted although its time is over."""

    RESUME_REQUESTED = "ResumeRequested"
    """A customer asked to resume and waits for the answer."""
    ARGO_CD = "TrackedByArgoCD"
    """Argo CD would make the tenant again, as a new one without its data: its manifest has to go from Git instead."""


@dataclass(frozen=True, slots=True)
class Retention:
    """When a suspended tenant is to be deleted, and what keeps it."""

    suspended_at: datetime
    due_at: datetime
    hold: Hold | None

    @property
    def deletion_at(self) -> datetime | None:
        """When the tenant is deleted; None while that is held."""
        return None if self.hold is not None else self.due_at

    def due(self, now: datetime) -> bool:
        """Whether the tenant is to be deleted now."""
        return self.hold is None and self.due_at <= now

    def announced_days(self, now: datetime) -> int | None:
        """The latest announcement that is due: of ANNOUNCED_DAYS the fewest within which the tenant is deleted.

        None while the deletion is further away, or held. What was missed while no operator ran is made good by the next
        announcement, or by this one late.
        """
        if self.hold is not None:
            return None
        return next((days for days in ANNOUNCED_DAYS if self.due_at - now <= timedelta(days=days)), None)

    def next_at(self, now: datetime) -> datetime | None:
        """When there is something to announce or to do by time alone: None while the deletion is held."""
        if self.hold is not None:
            return None
        announcements = (self.due_at - timedelta(days=days) for days in reversed(ANNOUNCED_DAYS))
        return next((at for at in announcements if at > now), self.due_at)


def suspended_at(tenant: Tenant, changed_at: datetime | None, now: datetime) -> datetime | None:
    """Since when the tenant is suspended, for `status.suspendedAt`; None when it runs.

    `changed_at` is the instant at which the owner of `spec.suspend` last wrote, where that is known. It stands in for
    what the status does not say, and corrects it when a version was skipped that may have been a resume: the data is
    kept longer rather than deleted early.
    """
    if not tenant.spec.suspend:
        return None
    recorded = tenant.status.suspended_at
    if recorded is None:
        return changed_at or now
    skipped = tenant.generation - (tenant.status.observed_generation or 0) > 1
    return max(recorded, changed_at) if skipped and changed_at else recorded


def retention(tenant: Tenant, suspended_at: datetime, period: timedelta) -> Retention:
    """When a tenant that is suspended since `suspended_at` is to be deleted, unless it is resumed.

    A request to resume that was rejected leaves the time for every announcement.
    """
    due_at = suspended_at + period
    rejected_at = _instant(tenant.annotations.get(RESUME_REJECTED_ANNOTATION))
    if rejected_at is not None:
        due_at = max(due_at, rejected_at + min(period, timedelta(days=ANNOUNCED_DAYS[-1])))
    return Retention(suspended_at, due_at, _hold(tenant, suspended_at))


def is_of_suspension(requested_at: datetime, suspended_at: datetime) -> bool:
    """Whether a request to resume was made for the suspension that began at `suspended_at`, not for an earlier one."""
    return requested_at > suspended_at - _CLOCKS_DIFFER


def tracked_by_argo_cd(tenant: Tenant) -> bool:
    """Whether the tenant's manifest is in Git, by the marks that Argo CD leaves on what it applies."""
    return ARGOCD_INSTANCE_LABEL in tenant.labels or ARGOCD_TRACKING_ANNOTATION in tenant.annotations


def _hold(tenant: Tenant, suspended_at: datetime) -> Hold | None:
    if RESUME_REQUESTED_ANNOTATION in tenant.annotations:
        requested_at = _instant(tenant.annotations[RESUME_REQUESTED_ANNOTATION])
        # A mark that an earlier suspension left behind holds nothing; in doubt the data is kept.
        if requested_at is None or is_of_suspension(requested_at, suspended_at):
            return Hold.RESUME_REQUESTED
    return Hold.ARGO_CD if tracked_by_argo_cd(tenant) else None


def _instant(text: str | None) -> datetime | None:
    """The instant that an annotation names; None for text that is none."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
