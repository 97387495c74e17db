"""A check of the ledger against the cluster and against itself, and the repair of what a sweep can repair."""

import asyncio
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pieced_billing.errors import Refused
from pieced_billing.invoicing.issued import numberings
from pieced_billing.ledger.discrepancy import Discrepancy
from pieced_billing.ledger.histories import all_events, all_rows, unchanging
from pieced_billing.ledger.observe import FetchAgain, observe
from pieced_billing.ledger.observe_together import observe_together
from pieced_billing.ledger.soundness import overlaps, unsound_counter, unsound_history
from pieced_billing.store.connections import Connection, open_store, outages
from pieced_operator import paths
from pieced_operator.backlog import LIMIT, Backlog, Pending
from pieced_operator.cluster import Cluster
from pieced_operator.comparison import Cluster as Facts
from pieced_operator.comparison import compare
from pieced_operator.comparison_facts import cluster_facts
from pieced_operator.fetching import fetching
from pieced_operator.halts import SweepHalted
from pieced_operator.heartbeat import Heartbeat
from pieced_operator.inbox import Inbox
from pieced_operator.ledger_reader import LedgerReader
from pieced_operator.ledger_session import open_session
from pieced_operator.ledger_writer import TENANTS_AT_ONCE
from pieced_operator.sweep import Sweep
from pieced_operator.workqueue import Queues

_SETTLED_SECONDS: Final = 6.0
_AGAIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and how much there was to look at."""

    cluster_id: str
    tenants: int
    discrepancies: list[Discrepancy]


async def check(cluster: Cluster, url: str, org_label: str) -> Checked:
    """Compare; what is only on its way, as the change of a second ago, is no discrepancy.

    A discrepancy is one that is still there after some seconds. Raises Refused and Unavailable.
    """
    deadline = time.monotonic() + _SETTLED_SECONDS
    checked = await _compare(cluster, url, org_label)
    lasting = set(checked.discrepancies)
    while lasting and time.monotonic() < deadline:
        await asyncio.sleep(_AGAIN_SECONDS)
        checked = await _compare(cluster, url, org_label)
        lasting &= set(checked.discrepancies)
    return Checked(checked.cluster_id, checked.tenants, sorted(lasting))


async def repair(cluster: Cluster, url: str, org_label: str, uids: AbstractSet[str]) -> list[str]:
    """Sweep as the operator does: tell the ledger of the tenants of `uids` that there are, end those that are no more.

    What is known of all others the operator tells, who may still have every version of them. Returns why something was
    refused. Raises Refused and Unavailable; may be repeated.
    """
    system = await cluster.get(f"{paths.NAMESPACES}/kube-system")
    cluster_id: str = system["metadata"]["uid"]
    backlog = Backlog()
    inbox = Inbox(cluster_id, org_label, cluster.clock, backlog, Queues())
    sweep = Sweep(cluster, cluster_id, inbox, LedgerReader(url, cluster_id), Heartbeat())
    await sweep.first(None)
    refused = await _write(cluster, inbox, backlog, url, uids)
    try:
        await sweep.once()
    except SweepHalted as halted:
        refused.add(str(halted))
    return sorted(refused | await _write(cluster, inbox, backlog, url, uids))


async def _compare(cluster: Cluster, url: str, org_label: str) -> Checked:
    facts = await cluster_facts(cluster, org_label)
    found = await asyncio.to_thread(_of_ledger, url, facts)
    return Checked(facts.id, len(facts.tenants), found)


def _of_ledger(url: str, facts: Facts) -> list[Discrepancy]:
    with outages(), open_store(url) as connection, unchanging(connection):
        rows = all_rows(connection)
        found = [*compare(facts, rows), *overlaps(rows.values())]
        without_events = dict(rows)
        for uid, events in all_events(connection):
            if (row := without_events.pop(uid, None)) is not None:
                found.extend(unsound_history(row, events))
        for row in without_events.values():
            found.extend(unsound_history(row, []))
        for numbering in numberings(connection):
            found.extend(unsound_counter(numbering.name, numbering.last_number, numbering.accounted_for()))
    return found


async def _write(cluster: Cluster, inbox: Inbox, backlog: Backlog, url: str, uids: AbstractSet[str]) -> set[str]:
    """Write what was told of these tenants, as the operator's writers do: what can be at once, the rest one by one."""
    if not len(backlog):
        return set()
    told = await backlog.take(LIMIT)
    taken = [queue for queue in told if queue[0].seen.uid in uids]
    loop = asyncio.get_running_loop()

    def write() -> set[str]:
        with outages(), open_session(url) as connection:
            queues = list[list[Pending]]()
            for start in range(0, len(taken), TENANTS_AT_ONCE):
                some = taken[start : start + TENANTS_AT_ONCE]
                done = observe_together(connection, [[pending.seen for pending in queue] for queue in some])
                queues += (queue[len(decisions) :] for queue, decisions in zip(some, done, strict=True))
            return _observe(connection, queues, lambda uid: fetching(cluster, inbox, loop, uid))

    done = await asyncio.to_thread(write)
    for queue in told:
        backlog.committed(queue[0].seen.uid)
    return done


def _observe(connection: Connection, queues: list[list[Pending]], fetch_again: Callable[[str], FetchAgain]) -> set[str]:
    refused = set[str]()
    for queue in queues:
        try:
            for pending in queue:
                observe(connection, pending.seen, fetch_again(pending.seen.uid))
        except Refused as error:
            refused.add(str(error))
    return refused
