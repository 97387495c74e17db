"""Observations of many tenants in one transaction: of those about which nothing has to be looked up to decide.

That is almost all of them: whoever lives on and was changed, or was not. What depends on other UIDs of the name
(beginnings and ends), contradicts the ledger or shows a seam is left to `observe`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pieced_billing import faults
from pieced_billing.errors import Refused
from pieced_billing.ledger import rows
from pieced_billing.ledger.decide import Decision, decide
from pieced_billing.ledger.future import believed
from pieced_billing.ledger.observation import LedgerRow, Observation
from pieced_billing.store.connections import Connection, outages
from pieced_billing.store.messages import Executes, transaction_of_messages


def observe_together(connection: Connection, queues: Sequence[Sequence[Observation]]) -> list[list[Decision]]:
    """Record the observations of tenants, a queue each in their order, up to the first that is left to `observe`.

    Returns a list for each queue: what was recorded of its first observations, with an entry for each of them. A tenant
    whose row somebody else has locked is left as a whole. `connection` must not be in a transaction. Raises Unavailable
    for an outage: then all was recorded or nothing, and the same call may be repeated.
    """
    with outages(), transaction_of_messages(connection) as message:
        known, now = rows.lock_free_rows(message, [queue[0].uid for queue in queues])
        decided = [list(_first_decisions(known.get(queue[0].uid), queue, now)) for queue in queues]
        faults.point("together.before_save")
        _save(message, known, decided)
    faults.point("together.after_commit")
    return decided


def _first_decisions(row: LedgerRow | None, queue: Sequence[Observation], now: datetime) -> Iterator[Decision]:
    for seen in queue:
        decision = None if row is None else _decision(row, seen, now)
        if decision is None:
            return
        yield decision
        row = decision.row


def _decision(row: LedgerRow, seen: Observation, now: datetime) -> Decision | None:
    """What an observation adds, if its tenant lives on before and after it and row and observation are of one mind."""
    if row.last_seq == 0 or row.deleted_at is not None or seen.deleted_at is not None or seen.gone:
        return None
    try:
        decision = decide(row, believed(seen, now))
    except Refused:
        return None
    return None if decision.stale or decision.seams else decision


def _save(session: Executes, known: Mapping[str, LedgerRow], decided: Sequence[Sequence[Decision]]) -> None:
    """Save what was decided; all rows of which nothing but the confirmation changes by one statement."""
    confirmed = []
    for decisions in decided:
        after = decisions[-1].row if decisions else None
        if after is None or after == known[after.uid]:
            continue
        if _is_confirmed(known[after.uid], after):
            confirmed.append(after)
            continue
        for decision in decisions:
            for event in decision.events:
                rows.append(session, event)
        rows.save(session, after)
    rows.save_confirmed(session, confirmed)


def _is_confirmed(before: LedgerRow, after: LedgerRow) -> bool:
    """Whether only up to when, and in which version, the row is confirmed has changed."""
    return after == replace(before, confirmed_at=after.confirmed_at, resource_version=after.resource_version)
