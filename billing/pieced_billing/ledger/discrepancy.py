"""One finding of a check of the ledger: what does not agree with what, of whom, and what to do about it. Pure."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Disagreement(StrEnum):
    """What does not agree: the tenants' resources, the ledger, what really runs, or the ledger with itself."""

    RUNNING_NOT_RECORDED = "running_not_recorded"
    RECORDED_ABSENT = "recorded_absent"
    RECORDED_OTHERWISE = "recorded_otherwise"
    SUSPENDED_RUNNING = "suspended_running"
    NOT_IN_CATALOGUE = "not_in_catalogue"
    EVENT_ORDER = "event_order"
    OVERLAP = "overlap"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True, order=True)
class Discrepancy:
    """A finding. `tenant` and `uid` are empty where it concerns no tenant: a counter of invoice numbers, say."""

    kind: Disagreement
    tenant: str
    uid: str
    what: str
    to_do: str

    def document(self) -> dict[str, str]:
        """The same as JSON values."""
        return asdict(self) | {"kind": str(self.kind)}
