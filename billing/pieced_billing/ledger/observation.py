"""What the operator saw of a tenant, and what the ledger knows of it: the two values that `decide` compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Observation:
    """One delivered version of a tenant's resource, free of Kubernetes' forms.

    All instants are aware and by the API server's clock. The server writes them in whole seconds, rounded down.

    `org` is empty where the organisation's label is missing: an existing tenant keeps its first one, a new one is not
    recorded. `created_at` is the creationTimestamp, or the time of the write that set the label; where only a later
    trace of that write is known, it lies between `created_not_before` and `created_at`. `deleted_at` is the
    deletionTimestamp. `suspend_changed_at` and `packages_changed_at` are the times of the managedFields entries that
    own those fields, None where no entry says. `packages` are those both in the spec and in the catalogue, and
    `catalogued_at` says since when the catalogue has them. `written_at` is the latest write known of this version.

    `served` is False where the resource does not fit its schema any more: the operator does nothing of what it orders,
    and what was served before goes on.

    `resource_version` orders the versions of all tenants of a cluster; 0 where it is not known. `restored_from` is the
    UID as which the tenant began, where it was restored from a backup and has another one now.

    `seen_at` bounds the version from above: it was written by then. `asked_at` is an instant before it was asked for,
    where it was read from the server (by a list or a get) and not delivered by a watch as it was written: what it says
    was so then, or became so until it was seen. `gone` says that the object exists no more and that this was its last
    state.
    """

    cluster_id: str
    uid: str
    tenant: str
    org: str
    generation: int
    created_at: datetime
    deleted_at: datetime | None
    suspended: bool
    suspend_changed_at: datetime | None
    packages: frozenset[str]
    packages_changed_at: datetime | None
    written_at: datetime
    seen_at: datetime
    manager: str | None
    source: str
    catalogued_at: Mapping[str, datetime] = field(default_factory=dict)
    created_not_before: datetime | None = None
    resource_version: int = 0
    restored_from: str | None = None
    asked_at: datetime | None = None
    gone: bool = False
    served: bool = True


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger knows of one tenant UID: a row of `tenant_billing_lifecycle`.

    `suspended` and `packages` are the fold of its events; at `confirmed_at` that state was still the resource's.
    `epoch` counts how often the resource went back to an older version. `gap` says that versions were skipped: switches
    in them may be unseen. `last_seq` is 0 before its first event.
    """

    cluster_id: str
    uid: str
    tenant: str
    org: str
    created_at: datetime
    deleted_at: datetime | None = None
    epoch: int = 0
    generation: int = 0
    resource_version: int = 0
    last_seq: int = 0
    last_event_at: datetime | None = None
    confirmed_at: datetime | None = None
    suspended: bool = False
    packages: frozenset[str] = frozenset()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Namesakes:
    """Other UIDs of the same tenant name in the same cluster: the one before and the one after."""

    predecessor_deleted_at: datetime | None = None
    predecessor_alive: bool = False
    successor_created_at: datetime | None = None


class Reason(StrEnum):
    """Why the history of a tenant has a seam.

    GAP: versions between two that were seen were not. WENT_BACK: the cluster has an older version than it had before.
    RESTORED: the tenant was made anew from a backup of another UID. RETURNED: it exists again after its end.
    """

    GAP = "gap"
    WENT_BACK = "went_back"
    RESTORED = "restored"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Discontinuity:
    """A seam: between these generations and these two instants something may have happened that nobody saw."""

    reason: Reason
    epoch: int
    generation_before: int
    generation_after: int
    predecessor_uid: str | None
    not_before: datetime
    not_after: datetime
    source: str
