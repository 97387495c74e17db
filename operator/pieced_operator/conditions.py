"""What the operator says about a tenant: the outcome of a reconcile as conditions, a phase and a status. Pure.

`Ready`, `Reconciling` and `Stalled` follow kstatus: exactly one of "as wanted", "on the way" and "needs a person" is
true. The phase is derived from them, in one place, and is never an input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pieced_operator import aspects
from pieced_operator.aspects import Verdict
from pieced_operator.desired.storage import Storage
from pieced_operator.desired.suspension import Retention
from pieced_operator.instants import second_text
from pieced_operator.readiness import Failure, Readiness
from pieced_operator.tenant_status import Condition, TenantStatus

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"

ORGANISATION_MISSING = "OrganisationMissing"
NAMESPACE_CONFLICT = "NamespaceConflict"
RESOURCE_INVALID = "ResourceInvalid"

# The fields of the status that `status` gives a value or none; all others are somebody else's.
OWNED_FIELDS = frozenset(
    {"observedGeneration", "phase", "organisation", "tenantNamespace", "suspendedAt", "deletionDueAt", "conditions"}
)


class Problem(NamedTuple):
    """What keeps a tenant from becoming what was ordered, until a person acts."""

    reason: str
    message: str


def organisation_missing(label: str) -> Problem:
    """The tenant never had an organisation: nobody could be billed."""
    return Problem(ORGANISATION_MISSING, f"Label {label} is missing: set it to the organisation that is billed.")


def namespace_conflict(namespace: str) -> Problem:
    """A namespace of the wanted name is somebody else's."""
    message = f"Namespace {namespace} exists and is not this tenant's; it is left alone."
    return Problem(NAMESPACE_CONFLICT, f"{message} Remove it, or create the tenant under another name.")


def resource_invalid(sentence: str) -> Problem:
    """The resource is older than the schema and does not keep to it."""
    return Problem(RESOURCE_INVALID, sentence)


def apply_refused(sentences: tuple[str, ...]) -> Problem:
    """The API server found what was ordered invalid: trying again would change nothing."""
    return Problem("ApplyRefused", aspects.listed(sentences))


def stalled_for(status: Mapping[str, Any]) -> str | None:
    """Why a tenant needs a person, by the status that the operator wrote; None where it does not."""
    for condition in status.get("conditions") or ():
        if condition["type"] == STALLED and condition["status"] == "True":
            return str(condition["reason"])
    return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reconcile of a tenant came to.

    `organisation` is the one that is billed, `labelled` the one that the label names now. `refusals` are the API
    server's answers to what it did not accept just now and may accept when tried again. `refused` are the children that
    it did not accept, whether or not it may later. `unknown_packages` is None where nobody looked.
    """

    organisation: str | None
    labelled: str | None
    namespace: str | None = None
    problem: Problem | None = None
    deleting: bool = False
    suspended_at: datetime | None = None
    retention: Retention | None = None
    unknown_packages: tuple[str, ...] | None = None
    refusals: tuple[str, ...] = ()
    refused: tuple[Failure, ...] = ()
    storage: Storage | None = None
    readiness: Readiness = field(default_factory=Readiness)


def status(before: TenantStatus, generation: int, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The fields of the status that the operator owns, as JSON.

    Equal to what is live when nothing is new, so that nothing need be written; a field that is absent has no value.
    """
    conditions = _dated(verdicts(outcome, now), before.conditions, generation, now)
    deletion_at = outcome.retention.deletion_at if outcome.retention else None
    values = {
        "observedGeneration": generation,
        "phase": phase(conditions),
        "organisation": outcome.organisation,
        "tenantNamespace": outcome.namespace,
        "suspendedAt": second_text(outcome.suspended_at) if outcome.suspended_at else None,
        "deletionDueAt": second_text(deletion_at) if deletion_at else None,
        "conditions": [_json(condition) for condition in conditions],
    }
    return {name: value for name, value in values.items() if value is not None}


def phase(conditions: Iterable[Condition]) -> str:
    """The conditions in one word: Pending, Ready, Suspended, Stalled or Deleting."""
    by_type = {condition.type: condition for condition in conditions}
    ready = by_type[READY]
    if ready.status == "True":
        return "Suspended" if ready.reason == "Suspended" else "Ready"
    if ready.reason == "Deleting":
        return "Deleting"
    return "Stalled" if by_type[STALLED].status == "True" else "Pending"


def verdicts(outcome: Outcome, now: datetime) -> list[Verdict]:
    """Every condition that holds something to say; the first three are always there."""
    found = _progress(outcome)
    if outcome.unknown_packages is not None:
        found.append(aspects.packages(outcome.unknown_packages))
    if outcome.organisation is not None and outcome.labelled != outcome.organisation:
        found.append(aspects.organisation(outcome.organisation, outcome.labelled))
    if outcome.retention is not None:
        found.append(aspects.retention(outcome.retention, now))
    if outcome.storage is not None and outcome.storage.problem is not None:
        found.append(aspects.storage(outcome.storage, outcome.storage.problem))
    found.extend(aspects.failing((*outcome.refused, *outcome.readiness.failures)))
    return found


def _progress(outcome: Outcome) -> list[Verdict]:
    """Ready, Reconciling and Stalled, of which exactly one is True."""
    stuck = outcome.readiness.stuck
    problem = outcome.problem or (Problem("ProgressDeadlineExceeded", aspects.listed(stuck)) if stuck else None)
    waiting = (*outcome.refusals, *outcome.readiness.waiting)
    if outcome.deleting:
        return _one_true(RECONCILING, "Deleting", "The tenant is being deleted.")
    if problem is not None:
        return _one_true(STALLED, *problem)
    if waiting:
        return _one_true(RECONCILING, "Retrying" if outcome.refusals else "Progressing", aspects.listed(waiting))
    if outcome.suspended_at is not None:
        return _one_true(READY, "Suspended", "Nothing runs; all data is kept.")
    return _one_true(READY, "Available", "All workloads are available and the volume is bound.")


def _one_true(true_type: str, reason: str, message: str) -> list[Verdict]:
    return [
        Verdict(kind, "True" if kind == true_type else "False", reason, message)
        for kind in (READY, RECONCILING, STALLED)
    ]


def _dated(found: list[Verdict], before: Iterable[Condition], generation: int, now: datetime) -> list[Condition]:
    """The conditions with their times: a condition keeps its time for as long as its status stays."""
    earlier = {condition.type: condition for condition in before}
    return [
        Condition(
            **verdict._asdict(),
            observed_generation=generation,
            last_transition_time=previous.last_transition_time
            if (previous := earlier.get(verdict.type)) and previous.status == verdict.status
            else now.astimezone(UTC).replace(microsecond=0),
        )
        for verdict in found
    ]


def _json(condition: Condition) -> Mapping[str, Any]:
    return condition.model_dump(by_alias=True) | {"lastTransitionTime": second_text(condition.last_transition_time)}
