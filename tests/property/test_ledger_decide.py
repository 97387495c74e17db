"""Random lives of a tenant, delivered as badly as a cluster can: the ledger ends in its state, and tells no lie.

The world below is a small API server: it writes versions of one resource with managedFields times to the second. What
an operator receives of it is dropped, doubled, late and lost in crashes; after each loss comes a list, as with kopf.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from pieced_billing.ledger.decide import decide
from pieced_billing.ledger.events import Event, Kind, Quality
from pieced_billing.ledger.observation import LedgerRow, Observation

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PACKAGES = ("a", "b", "late")
MANAGERS = ("kubectl", "argocd")


def second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


@dataclass
class World:
    """One resource on an API server, every version of it, and the true instant of every flip."""

    now: datetime = START
    suspended: bool = False
    packages: frozenset[str] = frozenset()
    generation: int = 1
    deleted_at: datetime | None = None
    gone: bool = False
    owners: dict[str, str | None] = field(default_factory=lambda: {"suspend": "kubectl", "packages": "kubectl"})
    written: dict[str, datetime] = field(default_factory=lambda: {"kubectl": START})
    catalogue: dict[str, datetime] = field(default_factory=lambda: {"a": START - SECOND, "b": START - SECOND})
    versions: list[Observation] = field(default_factory=list)
    flips: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.flips.append(("created", self.now))
        self._publish()

    def billable(self) -> frozenset[str]:
        return self.packages & self.catalogue.keys()

    def look(self, asked_at: datetime | None = None) -> Observation:
        """The resource as it is now, delivered or read."""
        return Observation(
            cluster_id="cluster",
            uid="u1",
            tenant="acme",
            org="1",
            generation=self.generation,
            created_at=START,
            deleted_at=self.deleted_at,
            suspended=self.suspended,
            suspend_changed_at=self._owned_at("suspend"),
            packages=self.billable(),
            packages_changed_at=self._owned_at("packages"),
            written_at=max(self.written.values()),
            seen_at=self.now + timedelta(milliseconds=5),
            asked_at=asked_at,
            manager="kubectl",
            source="watch" if asked_at is None else "sweep",
            catalogued_at=dict(self.catalogue),
            gone=self.gone,
        )

    def wait(self, microseconds: int) -> None:
        self.now += timedelta(microseconds=microseconds)

    def suspend(self, manager: str, suspended: bool) -> None:
        if self.gone or suspended == self.suspended:
            return
        self.suspended = suspended
        self.flips.append(("suspended" if suspended else "resumed", self.now))
        self._write(manager, "suspend")

    def choose(self, manager: str | None, packages: frozenset[str]) -> None:
        """Write the list of packages; with no manager the field is removed, which leaves no trace of its time."""
        if self.gone or packages == self.packages or (manager is None and packages):
            return
        before = self.billable()
        self.packages = packages
        self._flip_packages(before)
        self._write(manager, "packages")

    def annotate(self, manager: str) -> None:
        if not self.gone:
            self.written[manager] = second(self.now)
            self._publish()

    def catalogue_late(self) -> None:
        before = self.billable()
        self.catalogue.setdefault("late", second(self.now))
        self._flip_packages(before)

    def delete(self) -> None:
        if self.deleted_at is None and not self.gone:
            self.deleted_at = second(self.now)
            self.generation += 1
            self.flips.append(("deleted", self.now))
            self._publish()

    def vanish(self) -> None:
        """The finalizer is taken off: the last state is delivered with DELETED."""
        if not self.gone:
            if self.deleted_at is None:
                self.flips.append(("deleted", self.now))
            self.gone = True
            self._publish()

    def _flip_packages(self, before: frozenset[str]) -> None:
        after = self.billable()
        self.flips += [(f"enabled {package}", self.now) for package in after - before]
        self.flips += [(f"disabled {package}", self.now) for package in before - after]

    def _write(self, manager: str | None, name: str) -> None:
        self.owners[name] = manager
        if manager is not None:
            self.written[manager] = second(self.now)
        self.generation += 1
        self._publish()

    def _owned_at(self, name: str) -> datetime | None:
        owner = self.owners[name]
        return None if owner is None else self.written[owner]

    def _publish(self) -> None:
        self.versions.append(self.look())


@dataclass
class Operator:
    """Receives versions in order and keeps the ledger, as `observe` does but for the database."""

    row: LedgerRow | None = None
    events: list[Event] = field(default_factory=list)
    next_version: int = 0
    asked_at: datetime | None = None

    def receive(self, world: World) -> None:
        """Take the next version off the watch."""
        if self.next_version < len(world.versions):
            self.next_version += 1
            self.observe(world, world.versions[self.next_version - 1])

    def crash(self, world: World) -> None:
        """Die with a version in hand, before its commit: it is lost with all that waits behind it."""
        if self.next_version < len(world.versions):
            decide(self.row, world.versions[self.next_version])
        self.list(world)

    def list(self, world: World) -> None:
        """Start again: what was not received is lost, the resource is read as it is when the answer is written."""
        self.next_version = len(world.versions)
        self.observe(world, world.look(self.asked_at or world.now))
        self.asked_at = None

    def ask(self, world: World) -> None:
        """Ask for the next list, whose answer takes a while."""
        self.asked_at = self.asked_at or world.now

    def receive_late(self, world: World, number: int) -> None:
        """An old copy comes again."""
        if self.next_version:
            self.observe(world, world.versions[number % self.next_version])

    def observe(self, world: World, seen: Observation) -> None:
        decision = decide(self.row, seen)
        if decision.stale:
            now = world.look(world.now)
            assert not now.generation < seen.generation
            if now.gone:
                return
            decision = decide(self.row, now, fresh=True)
        self.row = decision.row
        self.events += decision.events


Action: TypeAlias = tuple[Any, ...]

CHANGES: dict[str, Callable[..., None]] = {
    "wait": World.wait,
    "suspend": World.suspend,
    "choose": World.choose,
    "annotate": World.annotate,
    "catalogue": World.catalogue_late,
    "delete": World.delete,
    "vanish": World.vanish,
}
DELIVERIES: dict[str, Callable[..., None]] = {
    "receive": Operator.receive,
    "ask": Operator.ask,
    "list": Operator.list,
    "crash": Operator.crash,
    "late": Operator.receive_late,
}
actions = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 400_000, 999_999, 3_000_000, 600_000_000])),
    st.tuples(st.just("suspend"), st.sampled_from(MANAGERS), st.booleans()),
    st.tuples(st.just("choose"), st.sampled_from(MANAGERS), st.frozensets(st.sampled_from(PACKAGES))),
    st.tuples(st.just("choose"), st.just(None), st.just(frozenset[str]())),
    st.tuples(st.just("annotate"), st.sampled_from(MANAGERS)),
    st.tuples(
        st.sampled_from(["catalogue", "delete", "vanish", "receive", "receive", "receive", "ask", "list", "crash"])
    ),
    st.tuples(st.just("late"), st.integers(0, 50)),
)


def play(history: list[Action], *, losses: bool) -> tuple[World, Operator]:
    """Run a random history; without losses every version is received as soon as it is written."""
    world, operator = World(), Operator()
    for action, *arguments in history:
        if action in CHANGES:
            CHANGES[action](world, *arguments)
        if action == "catalogue":
            operator.list(world)
        if losses and action in DELIVERIES:
            DELIVERIES[action](operator, world, *arguments)
        while not losses and operator.next_version < len(world.versions):
            operator.receive(world)
    operator.list(world)
    return world, operator


def name(event: Event) -> str:
    return f"{event.kind} {event.package}" if event.package else str(event.kind)


@given(st.lists(actions, max_size=40))
@settings(max_examples=400)
def test_whatever_is_lost_or_doubled_the_ledger_folds_to_the_state_of_the_tenant(
    history: list[Action],
) -> None:
    world, operator = play(history, losses=True)
    assert operator.row is not None
    assert [event.seq for event in operator.events] == list(range(1, operator.row.last_seq + 1))
    assert operator.events[0].kind is Kind.CREATED
    instants = [event.occurred_at for event in operator.events]
    assert all(one < next_one for one, next_one in pairwise(instants))
    assert (operator.row.deleted_at is not None) == (world.deleted_at is not None or world.gone)
    suspended, packages = False, set[str]()
    for event in operator.events:
        if event.package is not None:
            assert (event.package in packages) == (event.kind is Kind.DISABLED)
            packages ^= {event.package}
        elif event.kind in (Kind.SUSPENDED, Kind.RESUMED):
            assert suspended == (event.kind is Kind.RESUMED)
            suspended = not suspended
    if operator.row.deleted_at is None:
        assert suspended == world.suspended
        assert packages == world.billable()


@given(st.lists(actions, max_size=40))
@settings(max_examples=400)
def test_no_event_says_of_its_time_what_is_not_so(history: list[Action]) -> None:
    """Such a flip lies between the bounds of an event, and in the second of an exact one."""
    world, operator = play(history, losses=True)
    for event in operator.events:
        true = [instant for what, instant in world.flips if what == name(event)]
        if event.quality is Quality.EXACT:
            assert second(event.occurred_at) in [second(instant) for instant in true]
            assert (event.not_before, event.not_after) == (
                second(event.occurred_at),
                second(event.occurred_at) + SECOND,
            )
        assert event.not_before is not None
        assert event.not_after is not None
        assert event.not_before <= event.occurred_at <= event.not_after
        assert any(second(event.not_before) <= instant <= event.not_after for instant in true)


@given(st.lists(actions, max_size=40))
@settings(max_examples=400)
def test_when_nothing_is_lost_every_flip_is_recorded_in_its_second(history: list[Action]) -> None:
    world, operator = play(history, losses=False)
    names = [what for what, _ in world.flips]
    lived = names.index("deleted") + 1 if "deleted" in names else len(names)
    flips = [(what, second(instant)) for what, instant in world.flips[:lived]]
    assert Counter(map(name, operator.events)) == Counter(what for what, _ in flips)
    exact = [(name(event), second(event.occurred_at)) for event in operator.events if event.quality is Quality.EXACT]
    untraced = {name(event) for event in operator.events if event.quality is not Quality.EXACT}
    assert not Counter(exact) - Counter(flips)
    assert all(flip in exact for flip in flips if flip[0] not in untraced)


@given(st.lists(actions, max_size=40), st.integers(0, 100))
@settings(max_examples=200)
def test_observing_any_version_again_adds_nothing(history: list[Action], number: int) -> None:
    world, operator = play(history, losses=True)
    before = list(operator.events)
    operator.observe(world, replace(world.versions[-1], seen_at=world.now + SECOND))
    operator.list(world)
    operator.receive_late(world, number)
    assert operator.events == before
