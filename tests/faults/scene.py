"""A workload, an operator (or two) and faults: what happened to whom is noted, for the checker."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import NotFoundError

from tests.apiserver import Json
from tests.faults.customer import PACKAGES, Customer, Force, package, tenant
from tests.faults.given_up import given_up
from tests.faults.ledger import Ledger
from tests.faults.replica import Replica
from tests.faults.timeline import Circumstances, Restore, Window
from tests.faults.workload import Workload
from tests.faults.world import World
from tests.operators import Operator

LAG: Final = timedelta(seconds=6)
"""What is written so long before an instant has been delivered, committed and counted in the position by then."""

KEPT: Final = timedelta(seconds=8)
"""After so long without a database, what the operator has seen is in the status of the tenants."""

REMEMBERED: Final = timedelta(seconds=60)
"""So far back the API server tells what happened, unless it was restarted."""

CONVERGES_SECONDS: Final = 90
CANARY: Final = "canary"


class Scene:
    """Everything at work, and a canary: a tenant that is changed to see whether changes are recorded."""

    def __init__(self, world: World, workload: Workload, random: Random) -> None:
        self.world = world
        self.workload = workload
        self.random = random
        self.replica = Replica(world, random)
        self.twin: Operator | None = None
        self.database_away_since: datetime | None = None
        self._unwritten_since: datetime | None = None
        self._remembered_since = now()
        self._ledger = Ledger(world)
        self._stirred: Counter[str] = Counter()
        names = ["stirred-0", "stirred-1", "stirred-2"]
        self._customer = Customer(world.api, names, "stirred", self._stirred, Force(0))
        self._starts: list[tuple[datetime, datetime]] = []
        self._blind: list[Window] = []
        self._unlogged: list[Window] = []
        self._restores: list[Restore] = []
        self._unwritten: list[Window] = []

    @property
    def known(self) -> Circumstances:
        """What happened to the witnesses so far."""
        blind = (*self._blind, *given_up(self.replica.log, self._starts))
        return Circumstances(blind, tuple(self._unlogged), tuple(self._restores), tuple(self._unwritten))

    def begin(self) -> None:
        """Start the operator, and the workload when it watches."""
        for name in PACKAGES:
            self.world.api.create(package(name))
        self.world.api.create(tenant(CANARY, org="310001", suspend=True))
        self.replica.start()
        self.await_canary()
        self.workload.resume()

    def end(self) -> None:
        self.workload.stop()
        self._ledger.close()
        self.replica.kill()

    @contextmanager
    def blind(self, why: str, since: datetime | None = None) -> Iterator[None]:
        """Nobody observes in here, from a little before on."""
        start = since or now() - LAG
        try:
            yield
        finally:
            self._blind.append(Window(start, now(), why))

    @contextmanager
    def forgetful(self, why: str) -> Iterator[None]:
        """The API server forgets in here what happened before, and the audit log may lack lines."""
        start = now() - timedelta(seconds=1)
        self._remembered_since = datetime.max.replace(tzinfo=UTC)
        with self.blind(why):
            try:
                yield
            finally:
                self._unlogged.append(Window(start, now(), why))
                self._remembered_since = now()

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Nothing is committed in here; what waits is written some time after it."""
        self.database_away_since = now()
        self._unwritten_since = self._unwritten_since or self.database_away_since
        try:
            yield
        finally:
            self.database_away_since = None

    def restored(self, saved_at: datetime) -> None:
        """The API server's data went back just now."""
        self._restores.append(Restore(saved_at, now()))

    def revive(self) -> None:
        """If the operator has died, start it again, until it has listed everything or dies once more."""
        died_at = self.replica.died_at()
        if died_at is None:
            return
        if self.twin is not None:
            self.replica.start()
            return
        since = self._unreplayable_since(died_at)
        self._starts.append((now(), since or died_at - REMEMBERED))
        if since is None:
            self.replica.start()
        else:
            with self.blind("the operator was away", since):
                self.replica.start()
        if self._unwritten_since is not None:
            start = self._unwritten_since - LAG
            self._unwritten.append(Window(start, now(), "died with what waited for the database"))

    def _unreplayable_since(self, died_at: datetime) -> datetime | None:
        """From when on an operator that starts now cannot know what went on; None when it is told all of it."""
        if (away_since := self.database_away_since) is not None:
            return died_at - LAG if died_at - away_since > KEPT else away_since - LAG
        saved_at = self._ledger.position_saved_at()
        if saved_at is None:
            return died_at - LAG
        since = saved_at - LAG
        return None if since > max(self._remembered_since, now() - REMEMBERED) else since

    def await_canary(self) -> None:
        """Change the canary until the ledger has a change: then whatever came before is on its way too."""
        changed = self._change_canary()
        wanted = (changed["metadata"]["generation"], changed["spec"]["packages"])
        deadline = time.monotonic() + CONVERGES_SECONDS
        while self._ledger.state(changed["metadata"]["uid"]) != wanted:
            self.revive()
            assert time.monotonic() < deadline, f"the canary's change is not recorded: {self.replica.end_of_log()}"
            time.sleep(0.1)
        if self._unwritten_since is not None and self.database_away_since is None:
            self._await_all_written(deadline)
            self._unwritten_since = None

    def _await_all_written(self, deadline: float) -> None:
        while not self.replica.has_written_all():
            self.revive()
            assert time.monotonic() < deadline, f"versions still wait for the ledger: {self.replica.end_of_log()}"
            time.sleep(0.02)

    def await_ends(self) -> None:
        """Wait until every tenant that is no more has ended in the ledger, also those that vanished unseen."""
        living = {one["metadata"]["uid"] for one in self._live()}
        gone = {uid for uid, (ended_at, _) in self._ledger.ends().items() if ended_at is None} - living
        deadline = time.monotonic() + CONVERGES_SECONDS
        while gone := gone - {uid for uid, (ended_at, _) in self._ledger.ends().items() if ended_at is not None}:
            self.revive()
            assert time.monotonic() < deadline, f"the end of {gone} is not recorded: {self.replica.end_of_log()}"
            time.sleep(0.1)

    def stir(self, operations: int) -> None:
        """Do something to a few tenants that nobody else touches."""
        for _ in range(operations):
            with suppress(ApiException):
                self._customer.act()

    def await_commit(self) -> None:
        """Change the canary until the proxy has done what it was told to do at a COMMIT."""
        deadline = time.monotonic() + CONVERGES_SECONDS
        while self.world.database_proxy.at_commit is not None:
            self.revive()
            self._change_canary()
            assert time.monotonic() < deadline, f"nothing is committed: {self.replica.end_of_log()}"
            time.sleep(0.1)

    def _change_canary(self) -> Json:
        live = self.world.api.get(tenant(CANARY))
        assert live is not None
        packages = [] if live["spec"]["packages"] else ["search"]
        return self.world.api.patch(tenant(CANARY), {"spec": {"packages": packages}}, manager="canary")

    def settle(self) -> int:
        """Let everything come to rest, until the ledger says what the API server says; returns how much was done."""
        done = self.workload.pause().done.total() + self._stirred.total()
        self._touch_all()
        deadline = time.monotonic() + CONVERGES_SECONDS
        while left := self._unsettled():
            self.revive()
            assert time.monotonic() < deadline, f"after {CONVERGES_SECONDS} s: {left}"
            time.sleep(0.1)
        return done

    def _touch_all(self) -> None:
        """A last write to each tenant: the audit log has every tenant as it is now."""
        for live in self._live():
            patch = {"metadata": {"annotations": {"touched": "at last"}}}
            with suppress(NotFoundError):  # it went meanwhile
                self.world.api.patch(tenant(live["metadata"]["name"]), patch, manager="test")

    def _live(self) -> list[Json]:
        return self.world.api.list("pieced.ch/v1alpha1", "PiecedTenant", "")

    def _unsettled(self) -> list[str]:
        """The tenants of which the ledger does not say what the API server says."""
        ledger = self._ledger.ends()
        live = {one["metadata"]["uid"]: one["metadata"] for one in self._live()}
        labelled = {uid for uid, one in live.items() if one.get("labels", {}).get("pieced.ch/org-id")}
        left = [f"{uid} is not recorded" for uid in labelled - ledger.keys()]
        for uid, (deleted_at, generation) in ledger.items():
            if deleted_at is not None:
                continue
            if uid not in live or "deletionTimestamp" in live[uid]:
                left.append(f"the end of {uid} is not recorded")
            elif generation != live[uid]["generation"]:
                left.append(f"{live[uid]['name']}: generation {generation} of {live[uid]['generation']}")
        return left


def now() -> datetime:
    """The time of this machine, which is the API server's."""
    return datetime.now(UTC)
