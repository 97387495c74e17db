"""One tenant's true history as steps in the order of the commits: what was so after each, and when it came about."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum

from tests.faults.witness import Entry, Removal, Version


@dataclass(frozen=True)
class Window:
    """From one instant to another, and what went on then."""

    start: datetime
    end: datetime
    why: str

    def touches(self, start: datetime, end: datetime) -> bool:
        return self.start <= end and start <= self.end


@dataclass(frozen=True)
class Restore:
    """The API server's data went back: what was written after `saved_at` was undone at `restored_at`."""

    saved_at: datetime
    restored_at: datetime


@dataclass(frozen=True)
class Circumstances:
    """What the audit log cannot say.

    In a `blind` window nobody observed: a version may have been missed if a later one was seen. In an `unlogged`
    window the API server was killed and may have taken lines of the log with it. In an `unwritten` window the database
    was away and the operator died before it had caught up: what it had kept with a tenant that vanished in the same
    window went with that.
    """

    blind: tuple[Window, ...] = ()
    unlogged: tuple[Window, ...] = ()
    restores: tuple[Restore, ...] = ()
    unwritten: tuple[Window, ...] = ()


class Life(IntEnum):
    """How far a tenant is: ACCEPTED has begun when it is labelled, ENDING when its deletion was asked for."""

    UNLABELLED = 0
    ACCEPTED = 1
    ENDING = 2
    GONE = 3


@dataclass(frozen=True)
class Step:
    """What is so after one commit, which came about between `earliest` and `latest`.

    `seconds` are the API server's own instants of what may have changed (created, deleted, suspend, packages), where it
    has any, and `dated_at` is the latest of all that the resource bears; `changed_by` says by when suspension and
    packages had become what they are. `last` is suspension and packages when the end began. `missable`: nobody may have
    seen it. `hidden`: there was at least one more write here, of which nothing is known; `undone`: not a write, but a
    restore.
    """

    life: Life
    suspended: bool
    packages: frozenset[str]
    earliest: datetime
    latest: datetime
    generation: int
    seconds: Mapping[str, frozenset[datetime]]
    dated_at: datetime
    what: str
    changed_by: Mapping[str, datetime] = field(default_factory=dict)
    last: tuple[bool, frozenset[str]] | None = None
    missable: bool = False
    hidden: bool = False
    undone: bool = False


class LogIncomplete(Exception):
    """The audit log lacks writes although the API server was not killed."""


def timeline(
    versions: Sequence[Version], removal: Removal | None, catalogue: Mapping[str, Entry], known: Circumstances
) -> list[Step]:
    """The steps of one uid. Raises LogIncomplete."""
    steps: list[Step] = []
    rest = list(versions)
    for restore in known.restores:
        before = [version for version in rest if version.answered < restore.restored_at]
        if not before:
            continue
        steps += _written(_in_order(before), catalogue, known, steps)
        kept = [version for version in before if version.answered <= restore.saved_at]
        steps.append(_restored(_in_order(kept), catalogue, restore, steps[-1]))
        rest = [version for version in rest if version.answered >= restore.restored_at]
    steps += _written(_in_order(rest), catalogue, known, steps)
    if removal is not None and steps:
        end = replace(steps[-1], life=Life.GONE, earliest=removal.received, latest=removal.answered, what="removal")
        steps.append(end)
    *earlier, present = _in_context(steps)
    unseen = (*known.blind, *_lost_with(present, known))
    return [*(replace(step, missable=_touched(step, unseen)) for step in earlier), present]


def _lost_with(present: Step, known: Circumstances) -> Iterator[Window]:
    """The windows of which a tenant that vanished took along what was kept with it; what is so now is always found."""
    if present.life is Life.GONE:
        yield from (window for window in known.unwritten if _touched(present, [window]))


def _touched(step: Step, windows: Iterable[Window]) -> bool:
    return any(window.touches(step.earliest, step.latest) for window in windows)


def _in_order(versions: Iterable[Version]) -> list[Version]:
    """By the order of the commits. An answer with an earlier version is no commit, but may be a removal."""
    found: dict[tuple[int, bool], Version] = {}
    for version in sorted(versions, key=lambda one: (one.resource_version, one.removed, one.answered)):
        found.setdefault((version.resource_version, version.removed), version)
    return list(found.values())


def _written(
    versions: Sequence[Version], catalogue: Mapping[str, Entry], known: Circumstances, before: Sequence[Step]
) -> Iterator[Step]:
    """A step for each version, one for each package that came into the catalogue while a version named it."""
    previous = before[-1] if before else None
    labelled_first = bool(versions) and versions[0].org is not None and previous is None
    named: frozenset[str] = frozenset()
    arrivals = sorted(catalogue.items(), key=lambda item: item[1].answered)
    for version in versions:
        if _skips(previous, version):
            yield _hidden(previous, version, known)
        while arrivals and arrivals[0][1].answered < version.answered:
            package, entry = arrivals.pop(0)
            if package in named and previous is not None:
                previous = _catalogued(previous, package, entry)
                yield previous
        named = version.packages
        previous = _step(version, frozenset(named & _entered(catalogue, version.answered)), labelled_first, previous)
        yield previous
    for package, entry in arrivals:
        if package in named and previous is not None and previous.life < Life.ENDING:
            previous = _catalogued(previous, package, entry)
            yield previous


def _skips(previous: Step | None, version: Version) -> bool:
    return version.generation > (0 if previous is None else previous.generation) + 1


def _entered(catalogue: Mapping[str, Entry], by: datetime) -> frozenset[str]:
    return frozenset(package for package, entry in catalogue.items() if entry.answered <= by)


def _step(version: Version, packages: frozenset[str], labelled_first: bool, previous: Step | None) -> Step:
    life = Life.UNLABELLED if version.org is None else Life.ACCEPTED
    if version.deleted_at is not None:
        life = Life.ENDING
    if version.removed:
        life = Life.GONE
    if previous is not None and previous.life >= Life.ACCEPTED:
        life = max(life, Life.ACCEPTED)
    return Step(
        life=life,
        suspended=version.suspended,
        packages=packages,
        earliest=version.received.replace(microsecond=0),
        latest=version.answered,
        generation=version.generation,
        seconds={
            "created": frozenset([version.created_at]) if labelled_first else version.org_at,
            "deleted": frozenset([version.deleted_at] if version.deleted_at else ()),
            "suspend": version.suspend_at,
            "packages": version.packages_at,
        },
        dated_at=version.dated_at,
        what=f"generation {version.generation}, resource version {version.resource_version}",
    )


def _catalogued(previous: Step, package: str, entry: Entry) -> Step:
    """The package that the tenant names exists from now on."""
    return replace(
        previous,
        packages=previous.packages | {package},
        earliest=entry.received.replace(microsecond=0),
        latest=entry.answered,
        seconds={**previous.seconds, "packages": frozenset([entry.created_at])},
        what=f"package {package} enters the catalogue",
    )


def _hidden(previous: Step | None, version: Version, known: Circumstances) -> Step:
    """The place of writes that the log does not have."""
    earliest = version.created_at if previous is None else previous.earliest
    step = replace(
        _step(version, version.packages, version.org is not None, previous),
        earliest=earliest,
        hidden=True,
        what=f"writes before generation {version.generation}",
    )
    if not any(window.touches(earliest, version.answered) for window in known.unlogged):
        raise LogIncomplete(f"the audit log lacks {step.what}")
    return step


def _restored(kept: Sequence[Version], catalogue: Mapping[str, Entry], restore: Restore, before: Step) -> Step:
    """The state of an earlier time came back; a tenant of a later time is gone."""
    step = replace(before, life=Life.GONE, seconds={**before.seconds, "deleted": frozenset()})
    if kept:
        packages = frozenset(kept[-1].packages & _entered(catalogue, restore.restored_at))
        step = _step(kept[-1], packages, kept[0].org is not None, None)
    return replace(step, earliest=before.earliest, latest=restore.restored_at, undone=True, what="restore")


def _in_context(steps: Iterable[Step]) -> Iterator[Step]:
    """Say at every step what only those before it tell."""
    last: tuple[bool, frozenset[str]] | None = None
    suspend_by = packages_by = datetime.max.replace(tzinfo=UTC)
    previous: Step | None = None
    for step in steps:
        if step.life < Life.ENDING:
            last = (step.suspended, step.packages)
        if previous is None or previous.suspended != step.suspended:
            suspend_by = step.latest
        if previous is None or previous.packages != step.packages:
            packages_by = step.latest
        previous = replace(step, last=last, changed_by={"suspend": suspend_by, "packages": packages_by})
        yield previous
