"""Where every delivered version arrives: the ledger is told of it, in order, and its tenant is due for work."""

import time
from dataclasses import replace
from typing import Final

from pieced_billing.ledger.observation import Observation
from pieced_operator.backlog import Backlog
from pieced_operator.catalogue import Catalogue
from pieced_operator.clock import ApiClock
from pieced_operator.cluster import Resource
from pieced_operator.conditions import ORGANISATION_MISSING
from pieced_operator.decode import Beginning, Version, decode_version, existed_from, mended
from pieced_operator.observing import Reading, observation
from pieced_operator.packing import packed
from pieced_operator.tenants import Held, Known, Tenants
from pieced_operator.unrecorded import observations
from pieced_operator.workqueue import Queues

WATCH: Final = "watch"
REPLAY: Final = "replay"
SWEEP: Final = "sweep"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


class Inbox:
    """Takes in versions of tenants and packages, in the order of their delivery; for one event loop only."""

    def __init__(
        self,
        cluster_id: str,
        org_label: str,
        clock: ApiClock,
        backlog: Backlog,
        queues: Queues,
    ) -> None:
        self.tenants = Tenants()
        self.catalogue = Catalogue()
        self._cluster_id = cluster_id
        self._org_label = org_label
        self._clock = clock
        self._backlog = backlog
        self._queues = queues

    def tenant(
        self,
        resource: Resource,
        asked_at: float | None = None,
        *,
        gone: bool = False,
        replayed: bool = False,
        said: bool = False,
    ) -> None:
        """Take in a version of a tenant; one that is not newer than what is known is nothing.

        `asked_at` is a monotonic instant before the list or get that it comes from; None for a version that a watch
        delivered as it was written, or `replayed` so afterwards. `gone`: the tenant was deleted, this was its last
        state. `said`: the answer to our own write of the status upon the version that is known, of which no work comes.
        """
        known = self.tenants.get(resource["metadata"]["uid"])
        if known is not None and not _is_newer(resource, known.version, gone=gone):
            return
        version = decode_version(resource, self._org_label, gone=gone)
        if known is not None and version.served and not known.version.served:
            version = mended(version)
        if known is None and asked_at is not None and version.keeps_unrecorded:
            self._tell_kept(version, resource["status"])
        held = Held(version, time.monotonic(), asked_at, replayed)
        self._take_in(held, _without_bookkeeping(resource), work=not said)

    def vanished(self, known: Known, asked_at: float) -> None:
        """A tenant that was known does not exist any more, and no watch said so."""
        gone = Held(replace(known.version, gone=True), time.monotonic(), asked_at)
        self._take_in(gone, known.body, work=True)

    def package(self, resource: Resource, *, gone: bool = False) -> None:
        """Take in a version of a package; the tenants that name it are told to the ledger anew."""
        name = resource["metadata"]["name"]
        changed = self.catalogue.vanished(resource) if gone else self.catalogue.saw(resource)
        self._queues.packages.add(name)
        if not changed:
            return
        for uid in self.tenants.users_of(name):
            known = self.tenants.get(uid)
            assert known is not None
            if known.accepted:
                self._tell(known, Held(known.version, time.monotonic(), None))
            self._queues.tenants.add(uid)

    def accept(self, known: Known) -> None:
        """The tenant is ours: what was held back goes to the ledger."""
        held = known.held or [Held(known.version, time.monotonic(), None)]
        first, now = held[0], self._clock.latest(time.monotonic())
        began = existed_from(first.version, known.refused_for, now, as_written=first.asked_at is None)
        known.accepted, known.refused_for, known.held = True, None, []
        known.organisation = known.organisation or first.version.org
        for one in held:
            self._tell(known, one, began)

    def refuse(self, known: Known, reason: str) -> None:
        """The tenant is not ours: nothing of it is ever billed up to here."""
        known.refused_for = reason
        known.held = []

    def confirm(self, known: Known, asked_at: float) -> None:
        """A list asked for at `asked_at` holds the version that is known: the ledger's state held until then."""
        if known.accepted and not self._backlog.waits_for(known.version.uid):
            self._backlog.put(self._observation(known, Held(known.version, time.monotonic(), asked_at)), can_wait=True)

    def read_again(self, known: Known, resource: Resource, asked_at: float) -> Observation | None:
        """What a tenant says to the ledger that was read just now; None when it is another of the same name."""
        version = decode_version(resource, self._org_label)
        if version.uid != known.version.uid:
            return None
        return self._observation(known, Held(version, time.monotonic(), asked_at))

    def _take_in(self, held: Held, body: bytes, *, work: bool) -> None:
        version = held.version
        before = self.tenants.get(version.uid)
        used = before.version.packages if before is not None and not before.version.gone else frozenset()
        known = self.tenants.put(version, body)
        known.held.append(held)
        if known.accepted or version.accepted:
            self.accept(known)
        elif version.org is None:
            self.refuse(known, ORGANISATION_MISSING)
        if version.accepted and work:
            self._queues.tenants.add(version.uid)
        if not (version.accepted and version.marked):
            self._queues.first_sight.add(version.uid)
        for package in used ^ (frozenset() if version.gone else version.packages):
            self._queues.packages.add(package)

    def _tell_kept(self, version: Version, status: Resource) -> None:
        """Queue what an operator before us saw and could not record: it lies before what was listed."""
        kept = observations(
            version,
            status,
            cluster_id=self._cluster_id,
            organisation=version.organisation,
            catalogued_at=self.catalogue.catalogued_at,
        )
        for seen in kept:
            self._backlog.put(seen)

    def _tell(self, known: Known, held: Held, began: Beginning | None = None) -> None:
        """Queue what a version says, unless the ledger was told exactly that before."""
        seen = self._observation(known, held, began)
        noted = (seen.generation, seen.deleted_at, seen.suspended, seen.packages, seen.gone, seen.served)
        if noted != known.noted:
            known.noted = noted
            self._backlog.put(seen)

    def _observation(self, known: Known, held: Held, began: Beginning | None = None) -> Observation:
        at = self._clock.latest(held.delivered_at)
        if held.asked_at is None:
            reading = Reading(REPLAY if held.replayed else WATCH, at)
        else:
            reading = Reading(SWEEP, at, asked_at=self._clock.latest(held.asked_at))
        return observation(
            held.version,
            reading,
            cluster_id=self._cluster_id,
            organisation=known.organisation,
            began=began or existed_from(held.version, None, reading.at, as_written=False),
            catalogued_at=self.catalogue.catalogued_at,
        )


def _is_newer(resource: Resource, known: Version, *, gone: bool) -> bool:
    if gone and not known.gone:
        return True
    return int(resource["metadata"]["resourceVersion"]) > int(known.resource_version)


def _without_bookkeeping(resource: Resource) -> bytes:
    """The resource's JSON without what only its writers need, which is most of it."""
    metadata = {key: value for key, value in resource["metadata"].items() if key != "managedFields"}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    return packed({**resource, "metadata": metadata})
