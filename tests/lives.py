"""Tenants' lives as a workload: one change of each tenant a round, and what the ledger must say of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.apiserver import Json, awaited
from tests.stacks import Recorded, Stack, recorded_of, second_of, uid_of, written_by


@dataclass
class Life:
    """One tenant uid: what was done to it so far, and at which second of the API server where that is known."""

    name: str
    uid: str
    steps: Iterator[None]
    expected: list[tuple[str, str | None]] = field(default_factory=list)
    over: bool = False


class Lives:
    """Tenants in every stage of a life at once: a round begins a new one and takes each of the others one step on.

    A step never takes back the one before, so whoever is away during a round can still see all that happened in it.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lives: list[Life] = []
        self._number = 0
        for package in ("search", "telegram"):
            stack.package(package)

    def round(self) -> None:
        """One change of each tenant."""
        for life in self._lives:
            if not life.over:
                life.over = next(life.steps, ...) is ...
        self._begin(self._free_name())

    def await_recorded(self) -> None:
        """Wait until the ledger has said all of it; fails when it says anything else, or at another time."""
        awaited(self._differences, lambda differences: differences == {})
        found = recorded_of(self._stack.database, [life.uid for life in self._lives])
        for life in self._lives:
            _check(life, found[life.uid])

    def _differences(self) -> dict[str, tuple[list[str], list[str]]]:
        """By tenant: what the ledger says and what it should say, where that is not the same."""
        found = recorded_of(self._stack.database, [life.uid for life in self._lives])
        said = {life.uid: sorted(event.kind for event in found[life.uid]) for life in self._lives}
        wanted = {life.uid: sorted(kind for kind, _ in life.expected) for life in self._lives}
        return {
            f"{life.name} {life.uid}": (said[life.uid], wanted[life.uid])
            for life in self._lives
            if said[life.uid] != wanted[life.uid]
        }

    def forget_the_past(self) -> None:
        """Look no more at lives that are over."""
        self._lives = [life for life in self._lives if not life.over]

    @property
    def youngest(self) -> Life:
        """The tenant that began in the latest round."""
        return self._lives[-1]

    def await_suspended(self) -> None:
        """Wait until the status of the tenant that `outstay` takes says all of its latest suspension."""
        self._stack.await_phase(self._outstaying().name, "Suspended")

    def outstay(self) -> None:
        """Let the tenant that is suspended for the second time look as if it were so for months."""
        life = self._outstaying()
        past = '{"status":{"suspendedAt":"2026-01-01T00:00:00Z"}}'
        self._stack.cluster.kubectl("patch", "pt", life.name, "--subresource=status", "--type=merge", "-p", past)
        life.expected.append(("deleted", None))
        life.over = True

    def use_a_new_package(self) -> None:
        """A package that nobody used before, and a tenant that does."""
        self._number += 1
        name = f"new-{self._number}"
        self._stack.package(name)
        self._begin(name, package=name).over = True

    def begin_apart(self) -> Life:
        """A tenant beside the others, which no round concerns."""
        self._number += 1
        life = self._begin(f"apart-{self._number}")
        life.over = True
        return life

    def vanish(self, life: Life) -> None:
        """It goes by force, and the database remembers a position after that: no watch will tell the operator of it."""
        self._stack.vanish(life.name)
        life.expected.append(("deleted", None))

    def _outstaying(self) -> Life:
        return next(life for life in self._lives if len(life.expected) == 7)

    def _begin(self, name: str, package: str = "search") -> Life:
        made = self._stack.tenant(name, packages=[package], suspend=True)
        life = Life(name, uid_of(made), self._steps(name))
        second = made["metadata"]["creationTimestamp"]
        life.expected = [("created", second), (f"enabled {package}", second), ("suspended", second)]
        self._lives.append(life)
        return life

    def _steps(self, name: str) -> Iterator[None]:
        self._note(name, "enabled telegram", self._stack.change(name, packages=["search", "telegram"]))
        yield
        self._note(name, "resumed", self._stack.change(name, suspend=False))
        yield
        self._note(name, "disabled search", self._stack.change(name, packages=["telegram"]))
        yield
        self._note(name, "suspended", self._stack.change(name, suspend=True))
        yield
        self._stack.delete(name)
        leaving = self._stack.live(name)
        second = None if leaving is None else str(leaving["metadata"]["deletionTimestamp"])
        self._life(name).expected.append(("deleted", second))

    def _note(self, name: str, kind: str, written: Json) -> None:
        self._life(name).expected.append((kind, written_by("test", written)))

    def _life(self, name: str) -> Life:
        return next(life for life in reversed(self._lives) if life.name == name)

    def _free_name(self) -> str:
        """The name of a tenant that is gone, so that names are used again, or a new one."""
        taken = {life.name for life in self._lives if not life.over}
        for name in {life.name for life in self._lives} - taken:
            if self._stack.live(name) is None:
                return name
        self._number += 1
        return f"life-{self._number}"


def _check(life: Life, events: list[Recorded]) -> None:
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.occurred_at for event in events] == sorted({event.occurred_at for event in events})
    assert events[0].kind == "created"
    rounds = [life.expected[:3], *([one] for one in life.expected[3:])]
    position = 0
    for together in rounds:  # within one write the order is free
        said = events[position : position + len(together)]
        position += len(together)
        assert sorted(event.kind for event in said) == sorted(kind for kind, _ in together), life
        for event in said:
            second = dict(together)[event.kind]
            assert second is None or second_of(event.occurred_at) == second, (life, event)
