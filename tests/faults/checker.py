"""The checker: does the exported ledger say what the API server's audit log says, no more, no less, at its times?

It reads these two and nothing else, and nothing of Pieced is imported here or in what it uses. What the log cannot say,
such as when no operator was there to observe, is given to it as circumstances.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.exported import Event, exported
from tests.faults.matching import difference
from tests.faults.timeline import Circumstances, LogIncomplete, timeline
from tests.faults.witness import Json, Witnessed, witnessed


@dataclass(frozen=True)
class Difference:
    """Something that the ledger says otherwise than the audit log, of one tenant."""

    uid: str
    tenant: str
    says: str

    def __str__(self) -> str:
        return f"{self.tenant} ({self.uid}): {self.says}"


def check(entries: Iterable[Json], lines: Iterable[str], known: Circumstances) -> list[Difference]:
    """All differences between the completed requests of an audit log and the lines of an export."""
    return differences(witnessed(entries), exported(lines), known)


def differences(log: Witnessed, ledger: Mapping[str, Sequence[Event]], known: Circumstances) -> list[Difference]:
    """The same, of what was read from them."""
    found = [
        Difference(uid, "?", "invented: the API server knows no such tenant") for uid in ledger.keys() - log.versions
    ]
    for uid in log.versions:
        found += check_tenant(log, uid, ledger.get(uid, []), known)
    return found + list(_overlaps(log, ledger))


def check_tenant(log: Witnessed, uid: str, events: Sequence[Event], known: Circumstances) -> list[Difference]:
    """The differences of one tenant."""
    versions = log.versions[uid]
    try:
        steps = timeline(versions, log.removals.get(uid), log.catalogue, known)
    except LogIncomplete as error:
        said: str | None = str(error)
    else:
        said = _misattributed(log, uid, events) or _disordered(events) or difference(steps, events)
    return [Difference(uid, versions[0].name, said)] if said else []


def _misattributed(log: Witnessed, uid: str, events: Sequence[Event]) -> str | None:
    """Names and organisations: a tenant has the name that it had, and belongs to whom it was labelled for."""
    names = {version.name for version in log.versions[uid]}
    orgs = {version.org for version in log.versions[uid]} - {None}
    for event in events:
        if event.what == "created" and (event.tenant not in names or event.org not in orgs):
            return f"created as {event.tenant} of {event.org}, not as {', '.join(names)} of {orgs or 'nobody'}"
    return None


def _disordered(events: Sequence[Event]) -> str | None:
    """Each event has an instant of its own, later than that of the one before."""
    for event, following in pairwise(events):
        if event.at >= following.at:
            return f"out of order or doubled: {event}, then {following}"
    return None


def _overlaps(log: Witnessed, ledger: Mapping[str, Sequence[Event]]) -> Iterator[Difference]:
    """A name belongs to one tenant at a time: the next is not created before the end of the one before."""
    lives: dict[str, list[tuple[Event, Event | None, str]]] = defaultdict(list)
    for uid, events in ledger.items():
        if uid in log.versions and events and events[0].what == "created":
            end = next((event for event in events if event.what == "deleted"), None)
            lives[log.versions[uid][0].name].append((events[0], end, uid))
    for tenant, ones in lives.items():
        for (_, end, _), (begin, _, uid) in pairwise(sorted(ones, key=lambda one: one[0].at)):
            if end is None or begin.at < end.at:
                yield Difference(uid, tenant, f"created before its predecessor's end: {begin}, {end or 'no end'}")
