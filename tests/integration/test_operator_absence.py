"""What the ledger knows of a time in which no operator ran: replayed where the API server remembers, else bounded."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pieced_billing.ledger.discontinuities import of_tenant
from pieced_billing.ledger.observation import Discontinuity
from pieced_billing.store.connections import connect
from tests.apiserver import Json, awaited
from tests.clusters import Cluster
from tests.databases import DatabaseServers
from tests.stacks import Recorded, Stack, second_of, stack, uid_of, written_by


@dataclass(frozen=True)
class Absence:
    """What went on meanwhile, and whether the API server still tells of it."""

    stack: Stack
    remembered: bool
    resumed: Json
    switched: Json
    switches: list[Json]
    brief: Json
    stripped: Json
    lost: Json
    restored: Json
    copied: Json

    def events(self, tenant: Json, *kinds: str) -> list[Recorded]:
        return self.stack.await_kinds(uid_of(tenant), *kinds)

    def seams(self, tenant: Json) -> list[Discontinuity]:
        with connect(self.stack.database.url) as connection:
            return [one.seam for one in of_tenant(connection, uid_of(tenant))]


@pytest.fixture(scope="module", params=[True, False], ids=["remembered", "forgotten"])
def absence(
    request: pytest.FixtureRequest, cluster: Cluster, database_servers: DatabaseServers, worker_state: Path
) -> Iterator[Absence]:
    with stack(cluster, database_servers, worker_state) as at_work:
        for package in ("search", "telegram"):
            at_work.package(package)
        names = [f"{what}-{int(request.param)}" for what in ("resumed", "switched", "stripped", "restored")]
        resumed, switched, stripped, lost = (at_work.tenant(name, suspend=True) for name in names)
        backup = [at_work.await_phase(name, "Suspended") for name in names][-1]
        at_work.await_position()
        at_work.operator.stop()
        if not request.param:
            forget(at_work)
        resumed = at_work.change(names[0], suspend=False)
        switches = [at_work.change(names[1], packages=packages) for packages in (["search"], [], ["telegram"], [])]
        brief = at_work.tenant(f"brief-{int(request.param)}", packages=["search"])
        for tenant in (stripped, lost, brief):
            vanish(at_work, tenant)
        restored = at_work.api.create(from_backup(backup, names[3]))
        copied = at_work.api.create(from_backup(backup, f"copied-{int(request.param)}"))
        if not request.param:  # two tenants are gone unseen: it dies when the end of one of them is recorded
            at_work.operator.launch(PIECED_FAULT="sweep.after_end")
            assert at_work.operator.await_end() == -signal.SIGKILL, at_work.operator.end_of_log()
        at_work.operator.start()
        yield Absence(at_work, request.param, resumed, switched, switches, brief, stripped, lost, restored, copied)


def test_a_switch_is_exact_where_it_is_replayed_and_bounded_where_it_is_read_afterwards(absence: Absence) -> None:
    _, _, resumed = absence.events(absence.resumed, "created", "suspended", "resumed")
    assert second_of(resumed.occurred_at) == written_by("test", absence.resumed)
    known = ("exact", "replay") if absence.remembered else ("bounded", "sweep")
    assert (resumed.quality, resumed.source) == known
    assert resumed.not_before is not None
    assert resumed.not_after is not None
    assert resumed.not_before <= resumed.occurred_at <= resumed.not_after
    assert resumed.not_after - resumed.not_before < timedelta(minutes=1)
    assert absence.seams(absence.resumed) == []


def test_switches_that_were_taken_back_are_replayed_or_a_gap_and_never_guessed(absence: Absence) -> None:
    if absence.remembered:
        packages = ("enabled search", "disabled search", "enabled telegram", "disabled telegram")
        events = absence.events(absence.switched, "created", "suspended", *packages)[2:]
        assert [second_of(event.occurred_at) for event in events] == [
            written_by("test", write) for write in absence.switches
        ]
        assert absence.seams(absence.switched) == []
    else:
        (gap,) = awaited(lambda: absence.seams(absence.switched), lambda seams: len(seams) == 1)
        assert (gap.reason, gap.generation_before, gap.generation_after) == ("gap", 1, 5)
        absence.events(absence.switched, "created", "suspended")


def test_a_life_that_nobody_was_there_to_see_is_replayed_too(absence: Absence) -> None:
    if not absence.remembered:
        assert absence.stack.kinds(uid_of(absence.brief)) == []
        return
    created, enabled, deleted = absence.events(absence.brief, "created", "enabled search", "deleted")
    assert second_of(created.occurred_at) == absence.brief["metadata"]["creationTimestamp"]
    assert {created.source, enabled.source, deleted.source} == {"replay"}
    assert deleted.quality == "inferred"


@pytest.mark.parametrize("tenant", ["stripped", "lost"])
def test_a_finalizer_that_was_stripped_hides_no_end(absence: Absence, tenant: str) -> None:
    *_, suspended, deleted = absence.events(getattr(absence, tenant), "created", "suspended", "deleted")
    assert deleted.source == ("replay" if absence.remembered else "sweep")
    if not absence.remembered:
        assert deleted.quality == "inferred"
    assert suspended.occurred_at < deleted.occurred_at


def test_a_tenant_restored_from_a_backup_is_linked_to_the_one_that_it_was(absence: Absence) -> None:
    *_, ended = absence.events(absence.lost, "created", "suspended", "deleted")
    begun, _ = absence.events(absence.restored, "created", "suspended")
    assert ended.occurred_at <= begun.occurred_at
    (seam,) = absence.seams(absence.restored)
    assert (seam.reason, seam.predecessor_uid) == ("restored", uid_of(absence.lost))


def test_a_copy_of_a_manifest_is_a_tenant_of_its_own(absence: Absence) -> None:
    absence.events(absence.copied, "created", "suspended")
    assert absence.seams(absence.copied) == []
    name = absence.copied["metadata"]["name"]
    own_id = f"{name}/{uid_of(absence.copied)}"
    awaited(lambda: absence.stack.live(name), lambda live: live is not None and ledger_id(live) == own_id)


def from_backup(backup: Json, name: str) -> Json:
    """A tenant as Velero restores it: a new uid; labels, annotations and finalizers as they were, no status."""
    kept = {key: backup["metadata"][key] for key in ("labels", "annotations", "finalizers")}
    return {key: backup[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": kept | {"name": name}}


def ledger_id(tenant: Json) -> str:
    identity: str = tenant["metadata"]["annotations"]["pieced.ch/ledger-id"]
    return identity


def vanish(at_work: Stack, tenant: Json) -> None:
    """The tenant goes at once, without anybody's leave."""
    at_work.api.patch(tenant, {"metadata": {"finalizers": None}}, manager="test")
    at_work.delete(tenant["metadata"]["name"])


def forget(at_work: Stack) -> None:
    """As after an absence that is longer than the API server's memory: it answers 410 to where we were."""
    with connect(at_work.database.owner_url) as connection:
        connection.execute("UPDATE watch_positions SET resource_version = 1")
