"""What is worth a Kubernetes Event: the difference between what was said of a tenant and what is said now. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from pieced_operator.aspects import (
    FAILING,
    ORGANISATION_CHANGED,
    PACKAGES_AVAILABLE,
    RETENTION_PENDING,
    STORAGE_DIFFERS,
    deletion_announced,
)
from pieced_operator.conditions import READY, RECONCILING, STALLED
from pieced_operator.desired.suspension import ANNOUNCED_DAYS
from pieced_operator.tenant_status import Condition


class Notice(NamedTuple):
    """One Kubernetes Event: `type` is Normal or Warning."""

    type: str
    reason: str
    message: str


# What is worth an Event, and of which type.
_NOTICED = {
    (READY, "True"): "Normal",
    (RECONCILING, "True"): "Normal",
    (STALLED, "True"): "Warning",
    (PACKAGES_AVAILABLE, "False"): "Warning",
    (PACKAGES_AVAILABLE, "True"): "Normal",
    (ORGANISATION_CHANGED, "True"): "Warning",
    (RETENTION_PENDING, "True"): "Normal",
    (STORAGE_DIFFERS, "True"): "Warning",
}
# What is a warning for its reason, whatever the type of the others.
_ALARMING = frozenset(map(deletion_announced, ANNOUNCED_DAYS))
# What is no news of a tenant that nothing was said of before: every tenant begins so.
_EXPECTED_FIRST = {(RECONCILING, "True"), (PACKAGES_AVAILABLE, "True")}
# Their messages tell of progress and change often; those of the others are the news.
_PROGRESS = {READY, RECONCILING, STALLED}


def transitions(before: Iterable[Condition], after: Iterable[Condition]) -> list[Notice]:
    """The Events to post, in the order of the conditions; none when only progress was made."""
    earlier = {condition.type: condition for condition in before}
    return [
        Notice(event_type, condition.reason, condition.message)
        for condition in after
        if (event_type := _event_type(condition)) is not None and _is_news(earlier.get(condition.type), condition)
    ]


def _event_type(condition: Condition) -> str | None:
    """Of which type an Event about a condition is; None where none is due."""
    if condition.reason in _ALARMING or FAILING in condition.type:
        return "Warning"
    return _NOTICED.get((condition.type, condition.status))


def _is_news(previous: Condition | None, now: Condition) -> bool:
    if previous is None:
        return (now.type, now.status) not in _EXPECTED_FIRST
    if (previous.status, previous.reason) != (now.status, now.reason):
        return True
    return now.type not in _PROGRESS and previous.message != now.message
