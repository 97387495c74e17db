"""Asking for a suspended tenant to be resumed: one request at a time, recorded, held, and answered once."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psycopg
import pytest
import yaml

from pieced_billing.ledger.resume_requests import (
    Answer,
    NoResumePending,
    ResumePending,
    pending_request,
    record_answer,
    record_request,
)
from pieced_billing.store.connections import connect
from tests.apiserver import awaited
from tests.clusters import Cluster
from tests.databases import Database, DatabaseServers
from tests.fault_points import points_of
from tests.stacks import Stack, stack

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

RunPieced = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, database_servers: DatabaseServers, worker_state: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, worker_state) as made:
        yield made


@pytest.fixture
def pieced(at_work: Stack, run_pieced: RunPieced) -> RunPieced:
    """`pieced tenant ARGUMENTS` as the administrator of the cluster."""
    env = at_work.database.env() | {"KUBECONFIG": str(at_work.cluster.kubeconfig)}
    return lambda *arguments, check=True: run_pieced("tenant", *arguments, env=env, check=check)


def suspended(at_work: Stack, name: str) -> str:
    at_work.tenant(name, suspend=True)
    uid: str = at_work.await_phase(name, "Suspended")["metadata"]["uid"]
    return uid


def recorded(at_work: Stack, uid: str) -> list[tuple[Any, ...]]:
    with connect(at_work.database.url) as connection:
        return connection.execute(
            "SELECT request, event_kind, actor, note FROM tenant_resume_requests WHERE tenant_uid = %s ORDER BY id",
            [uid],
        ).fetchall()


def annotations(at_work: Stack, name: str) -> dict[str, str]:
    tenant = at_work.live(name)
    assert tenant is not None
    found: dict[str, str] = tenant["metadata"].get("annotations", {})
    return {key: value for key, value in found.items() if key.startswith("pieced.ch/resume")}


def await_reason(at_work: Stack, name: str, reason: str) -> str:
    found = awaited(
        lambda: at_work.condition(name, "RetentionPending"),
        lambda condition: condition is not None and condition["reason"] == reason,
    )
    assert found is not None
    message: str = found["message"]
    return message


def refused(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.removeprefix("pieced: ").strip()


def test_a_request_holds_the_deletion_and_its_approval_resumes_the_tenant(at_work: Stack, pieced: RunPieced) -> None:
    uid = suspended(at_work, "asking")
    pieced("resume-request", "asking", "--by", "Erika Muster", "--note", "back from holidays")
    await_reason(at_work, "asking", "ResumeRequested")
    [pending] = [one for one in json.loads(pieced("requests", "-o", "json").stdout) if one["tenant"] == "asking"]
    assert (pending["uid"], pending["actor"], pending["note"]) == (uid, "Erika Muster", "back from holidays")
    assert refused(pieced("resume-request", "asking", check=False)) == (
        f"A request to resume asking is pending already, made by Erika Muster at {pending['requested_at']}."
    )
    assert pieced("approve", "asking").stdout == "Approved: asking is resumed.\n"
    at_work.await_phase("asking", "Ready")
    at_work.await_kinds(uid, "created", "suspended", "resumed")
    assert annotations(at_work, "asking") == {}
    assert [row[:2] for row in recorded(at_work, uid)] == [(1, "requested"), (1, "approved")]
    assert recorded(at_work, uid)[1][2] == "admin", "as the API server knows us"
    assert refused(pieced("approve", "asking", check=False)) == "No request to resume asking is pending."


def test_a_rejection_lets_the_time_go_on_and_another_request_may_follow(at_work: Stack, pieced: RunPieced) -> None:
    uid = suspended(at_work, "refused")
    pieced("resume-request", "refused")
    await_reason(at_work, "refused", "ResumeRequested")
    pieced("reject", "refused", "--note", "unpaid invoices")
    await_reason(at_work, "refused", "DeletionScheduled")
    assert list(annotations(at_work, "refused")) == ["pieced.ch/resume-rejected-at"]
    pieced("resume-request", "refused")
    assert [row[:2] for row in recorded(at_work, uid)] == [(1, "requested"), (1, "rejected"), (2, "requested")]
    assert at_work.kinds(uid) == ["created", "suspended"]


def test_where_argo_cd_tracks_the_tenant_approving_prints_the_change_for_git(at_work: Stack, pieced: RunPieced) -> None:
    uid = suspended(at_work, "in-git")
    at_work.cluster.kubectl(
        "annotate", "pt", "in-git", "argocd.argoproj.io/tracking-id=t:pieced.ch/PiecedTenant:/in-git"
    )
    pieced("resume-request", "in-git")
    before = at_work.live("in-git")
    assert before is not None
    printed = pieced("approve", "in-git").stdout
    assert yaml.safe_load(printed) == {
        "apiVersion": "pieced.ch/v1alpha1",
        "kind": "PiecedTenant",
        "metadata": {"name": "in-git"},
        "spec": {"suspend": False},
    }
    after = at_work.live("in-git")
    assert after is not None
    assert after["spec"] == before["spec"]
    assert list(annotations(at_work, "in-git")) == ["pieced.ch/resume-requested-at"], "open until Git says so"
    assert [row[1] for row in recorded(at_work, uid)] == ["requested", "approved"]
    at_work.change("in-git", suspend=False)  # as Git says now
    at_work.await_phase("in-git", "Ready")


def test_a_request_that_nobody_answered_lapses_with_its_suspension(at_work: Stack, pieced: RunPieced) -> None:
    uid = suspended(at_work, "again-asking")
    pieced("resume-request", "again-asking")
    with connect(at_work.database.owner_url) as connection, connection.transaction():  # it was made two days ago
        connection.execute("ALTER TABLE tenant_resume_requests DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE tenant_resume_requests SET recorded_at = recorded_at - interval '2 days' WHERE tenant_uid = %s",
            [uid],
        )
        connection.execute("ALTER TABLE tenant_resume_requests ENABLE TRIGGER USER")
    pieced("resume-request", "again-asking")
    assert [row[:2] for row in recorded(at_work, uid)] == [(1, "requested"), (1, "lapsed"), (2, "requested")]
    await_reason(at_work, "again-asking", "ResumeRequested")


@pytest.mark.parametrize("point", points_of(__file__))
def test_a_command_that_dies_records_nothing_and_may_be_given_again(
    at_work: Stack, run_pieced: RunPieced, tmp_path: Path, point: str
) -> None:
    name = re.sub(r"[._]", "-", point)
    uid = suspended(at_work, name)
    env = at_work.database.env() | {"KUBECONFIG": str(at_work.cluster.kubeconfig)}
    for command in ("resume-request", "approve"):
        log, before = tmp_path / command, recorded(at_work, uid)
        doomed = env | {"PIECED_FAULT": point, "PIECED_FAULT_LOG": str(log)}
        died = run_pieced("tenant", command, name, env=doomed, check=False)
        assert died.returncode == -signal.SIGKILL
        assert log.read_text() == f"{point}\n"
        assert recorded(at_work, uid) == before
        run_pieced("tenant", command, name, env=env)
    assert [row[1] for row in recorded(at_work, uid)] == ["requested", "approved"]
    at_work.await_kinds(uid, "created", "suspended", "resumed")
    assert annotations(at_work, name) == {}


def test_what_cannot_be_asked_is_refused_and_not_recorded(at_work: Stack, pieced: RunPieced) -> None:
    uid = at_work.tenant("running")["metadata"]["uid"]
    assert refused(pieced("resume-request", "running", check=False)) == "Tenant running is not suspended."
    for name in ("nobody", "", "..", "running/status", "running?x", "../piecedpackages/search"):
        said = refused(pieced("resume-request", name, check=False))
        assert said == f"There is no tenant {name!r} in this cluster."
    blank = pieced("resume-request", "running", "--by", " ", check=False)
    assert (blank.returncode, blank.stderr) == (2, "pieced: --by is blank; it must name somebody, or be left out.\n")
    assert refused(pieced("reject", "running", check=False)) == "No request to resume running is pending."
    assert recorded(at_work, uid) == []


def test_of_two_at_once_one_is_recorded(database: Database) -> None:
    with connect(database.url) as one, connect(database.url) as other:
        request = record_request(one, "u-1", "acme", "Erika", None)
        with psycopg.connect(database.url) as watching:
            waiting = _start(lambda: record_request(other, "u-1", "acme", "Max", None))
            awaited(
                lambda: watching.execute(_WAITING).fetchone(),
                lambda found: found == (1,),
            )
            one.commit()
        with pytest.raises(ResumePending, match="made by Erika"):
            waiting()
        other.rollback()
        record_answer(one, request, Answer.REJECTED, "admin", None)
        with pytest.raises(NoResumePending):
            record_answer(one, request, Answer.APPROVED, "admin", None)
        assert pending_request(one, "u-1") is None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            one.execute("DELETE FROM tenant_resume_requests")


def _start(work: Callable[[], Any]) -> Callable[[], Any]:
    """Run something in a thread; what it returns or raises comes out of the answer."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return lambda: future.result(timeout=60)
