"""What is said of a tenant: kinds of events, meters, how well a time is known, and one event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pieced_billing.calendar import Microseconds


class Kind(StrEnum):
    """What happened to a tenant or to one of its packages."""

    CREATED = "created"
    DELETED = "deleted"
    ENABLED = "enabled"
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    RESUMED = "resumed"


class Meter(StrEnum):
    """What is metered: spend on language models in CHF, and Threema messages in whole numbers."""

    LLM_SPEND = "llm_spend"
    THREEMA_MESSAGES = "threema_messages"


class Quality(StrEnum):
    """How well the instant of an event is known."""

    EXACT = "exact"
    BOUNDED = "bounded"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the ledger about one tenant UID.

    `seq` is the order in which the events of a UID were first recorded. `package` is set for enabled and disabled
    only. The instant lies within [`not_before`, `not_after`]: a second of the API server where it is exact. Imported
    events may have no bounds.
    """

    cluster_id: str
    uid: str
    tenant: str
    org: str
    seq: int
    kind: Kind
    package: str | None
    occurred_at: datetime
    not_before: datetime | None
    not_after: datetime | None
    quality: Quality
    source: str
    generation: int | None
    manager: str | None


class Moment(NamedTuple):
    """An event as the fold reads it; a plain tuple in this order serves as well. Tuples sort by (`at`, `seq`)."""

    at: Microseconds
    seq: int
    kind: str
    """enabled, disabled, suspended or resumed: creation and deletion are limits of the history."""
    package: str
    """The package's id; empty for suspended and resumed."""
