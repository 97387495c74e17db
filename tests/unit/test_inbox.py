"""What arrives becomes what the ledger is told: in order, once, and only of tenants that are ours."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pieced_billing.ledger.observation import Observation
from pieced_operator.backlog import Backlog
from pieced_operator.clock import ApiClock
from pieced_operator.inbox import Inbox
from pieced_operator.workqueue import Queues
from tests.tenants import resource

LABEL = "pieced.ch/org-id"


class Desk:
    """An inbox and what comes out of it."""

    def __init__(self) -> None:
        clock = ApiClock()
        clock.learn(time.monotonic(), time.monotonic(), "Sun, 01 Mar 2026 09:00:00 GMT")
        self.backlog = Backlog()
        self.queues = Queues()
        self.inbox = Inbox("cluster", LABEL, clock, self.backlog, self.queues)

    async def told(self) -> list[Observation]:
        """What the ledger was told since the last time, in order."""
        if not len(self.backlog):
            return []
        taken = await self.backlog.take(100)
        for queue in taken:
            self.backlog.committed(queue[0].seen.uid)
        return [pending.seen for queue in taken for pending in queue]


def version(
    number: int, *, accepted: bool = True, spec: dict[str, Any] | None = None, **metadata: Any
) -> dict[str, Any]:
    finalizers = ["pieced.ch/billing"] if accepted else []
    usual: dict[str, Any] = {"resourceVersion": str(number), "generation": number, "finalizers": finalizers}
    return resource(spec={"packages": []} | (spec or {}), **(usual | metadata))


def package(name: str, number: int = 1) -> dict[str, Any]:
    metadata = {"name": name, "uid": name, "resourceVersion": str(number), "creationTimestamp": "2026-03-01T08:00:00Z"}
    return {"metadata": metadata, "spec": {"displayName": name, "image": "example/x:1"}}


def at_a_desk(story: Callable[[Desk], Any]) -> None:
    async def run() -> None:
        await story(Desk())

    asyncio.run(asyncio.wait_for(run(), timeout=60))


def test_every_version_that_says_something_new_is_told_in_order() -> None:
    async def story(desk: Desk) -> None:
        for number, suspend in ((1, False), (2, True), (3, False)):
            desk.inbox.tenant(version(number, spec={"suspend": suspend}))
        told = await desk.told()
        assert [(seen.generation, seen.suspended) for seen in told] == [(1, False), (2, True), (3, False)]
        assert {(seen.source, seen.asked_at) for seen in told} == {("watch", None)}

    at_a_desk(story)


def test_what_we_said_ourselves_is_known_and_nothing_to_work_on() -> None:
    async def story(desk: Desk) -> None:
        seen, said = version(5), version(6, generation=5, status={"phase": "Ready"})
        desk.inbox.tenant(seen)
        uid = await desk.queues.tenants.take()
        desk.queues.tenants.done(uid)
        desk.inbox.tenant(said, said=True)
        desk.inbox.tenant(said)
        known = desk.inbox.tenants.get(uid)
        assert known is not None
        assert known.version.resource_version == "6"
        assert len(desk.queues.tenants) == 0
        desk.inbox.tenant(version(7, generation=5, status={"phase": "edited by hand"}))
        assert len(desk.queues.tenants) == 1

    at_a_desk(story)


def test_status_labels_and_repeats_are_not_told() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(5))
        assert len(await desk.told()) == 1
        desk.inbox.tenant(version(5))
        desk.inbox.tenant(version(6, generation=5, status={"phase": "Ready"}))
        desk.inbox.tenant(version(7, generation=5, labels={LABEL: "310009"}))
        desk.inbox.tenant(version(4))
        assert await desk.told() == []

    at_a_desk(story)


def test_what_is_not_accepted_yet_is_held_and_told_in_order_when_it_is() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1, accepted=False))
        desk.inbox.tenant(version(2, accepted=False, spec={"suspend": True}))
        assert await desk.told() == []
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        desk.inbox.accept(known)
        assert [seen.generation for seen in await desk.told()] == [1, 2]
        assert known.organisation == "310001"

    at_a_desk(story)


def test_what_was_refused_is_never_told_afterwards() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1, accepted=False))
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        desk.inbox.refuse(known, "NamespaceConflict")
        desk.inbox.tenant(version(2, accepted=False, spec={"suspend": True}))
        desk.inbox.refuse(known, "NamespaceConflict")
        desk.inbox.accept(known)
        (seen,) = await desk.told()
        assert (seen.generation, seen.suspended) == (2, True)
        assert abs(seen.created_at - seen.seen_at) < timedelta(seconds=1)

    at_a_desk(story)


def test_without_an_organisation_nothing_is_held_and_its_label_begins_the_tenant() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1, accepted=False, labels={}))
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        assert known.refused_for == "OrganisationMissing"
        labelling = [
            {
                "manager": "x",
                "time": "2026-03-01T09:30:00Z",
                "fieldsV1": {"f:metadata": {"f:labels": {f"f:{LABEL}": {}}}},
            }
        ]
        desk.inbox.tenant(version(2, accepted=False, generation=1, managedFields=labelling))
        desk.inbox.accept(known)
        (seen,) = await desk.told()
        assert seen.created_at.isoformat() == "2026-03-01T09:30:00+00:00"

    at_a_desk(story)


def test_the_first_organisation_is_told_when_the_label_changes_or_goes() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1, accepted=False))
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        desk.inbox.accept(known)
        desk.inbox.tenant(version(2, labels={LABEL: "310009"}, spec={"suspend": True}))
        desk.inbox.tenant(version(3, labels={}))
        assert {seen.org for seen in await desk.told()} == {"310001"}

    at_a_desk(story)


def test_a_package_counts_from_when_the_catalogue_has_it() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1, spec={"packages": ["search", "maps"]}))
        (before,) = await desk.told()
        assert before.packages == frozenset()
        desk.inbox.package(package("search"))
        (after,) = await desk.told()
        assert after.packages == {"search"}
        assert after.catalogued_at["search"].isoformat() == "2026-03-01T08:00:00+00:00"
        assert after.generation == 1
        desk.inbox.package(package("other"))
        assert await desk.told() == []

    at_a_desk(story)


def written(at: str, *fields: str) -> dict[str, Any]:
    """An entry of managedFields: a write of fields of the spec on the first of March."""
    owned: dict[str, Any] = {"f:spec": {f"f:{field}": {} for field in fields}}
    return {"manager": "test", "time": f"2026-03-01T{at}Z", "fieldsV1": owned}


def test_orders_that_do_not_fit_the_schema_are_not_served_and_count_from_the_write_that_mends_them() -> None:
    async def story(desk: Desk) -> None:
        refused = {"storageSize": "much", "suspend": True}
        switched = written("10:00:00", "suspend", "packages")
        desk.inbox.tenant(version(1))
        desk.inbox.tenant(version(2, spec=refused, managedFields=[switched]))
        mending = [switched, written("12:00:00", "storageSize")]
        desk.inbox.tenant(version(3, spec={"suspend": True}, managedFields=mending))
        told = await desk.told()
        assert [(seen.generation, seen.served) for seen in told] == [(1, True), (2, False), (3, True)]
        changed = [seen.suspend_changed_at and seen.suspend_changed_at.hour for seen in told]
        assert changed == [None, 10, 12]
        stalled = {"type": "Stalled", "status": "True", "reason": "ResourceInvalid"}
        desk.inbox.tenant(version(4, status={"observedGeneration": 4, "conditions": [stalled]}))
        assert [seen.served for seen in await desk.told()] == [False]

    at_a_desk(story)


def test_an_end_is_told_once_whoever_finds_it() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1))
        await desk.told()
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        desk.inbox.vanished(known, time.monotonic())
        (seen,) = await desk.told()
        assert (seen.gone, seen.source, seen.deleted_at) == (True, "sweep", None)
        desk.inbox.tenant(version(2, generation=1), gone=True)
        assert await desk.told() == []

    at_a_desk(story)


KEPT = {
    "generation": 2,
    "resourceVersion": "2",
    "existedFrom": "2026-03-01T09:00:00Z",
    "suspended": True,
    "writtenAt": "2026-03-01T09:30:00Z",
    "seenAt": "2026-03-01T09:30:00.100000Z",
}


def test_what_a_status_keeps_is_told_before_what_is_listed() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(3, status={"unrecorded": [KEPT]}), time.monotonic())
        assert [(seen.generation, seen.suspended, seen.source) for seen in await desk.told()] == [
            (2, True, "status"),
            (3, False, "sweep"),
        ]
        desk.inbox.tenant(version(4, generation=3, status={"unrecorded": [KEPT]}), time.monotonic())
        assert await desk.told() == []

    at_a_desk(story)


def test_what_a_status_keeps_is_left_aside_where_the_watch_itself_tells() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(2, status={"unrecorded": [KEPT]}), replayed=True)
        desk.inbox.tenant(version(3, spec={"suspend": True}, status={"unrecorded": [KEPT]}), replayed=True)
        assert [(seen.generation, seen.source) for seen in await desk.told()] == [(2, "replay"), (3, "replay")]

    at_a_desk(story)


def test_a_list_confirms_only_what_nothing_waits_for() -> None:
    async def story(desk: Desk) -> None:
        desk.inbox.tenant(version(1))
        known = desk.inbox.tenants.named("acme")
        assert known is not None
        desk.inbox.confirm(known, time.monotonic())
        assert [seen.asked_at is None for seen in await desk.told()] == [True]
        desk.inbox.confirm(known, time.monotonic())
        assert [seen.asked_at is None for seen in await desk.told()] == [False]

    at_a_desk(story)
