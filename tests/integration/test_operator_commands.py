"""`pieced operator` and `pieced backfill` as commands: what they print, what they refuse, and with which status."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from pieced_billing.ledger import discontinuities
from pieced_billing.store.connections import connect
from tests.apiserver import awaited
from tests.clusters import Cluster
from tests.databases import Database, DatabaseServers
from tests.fault_points import points_of
from tests.stacks import Stack, second_of, stack, uid_of, written_by

RunPieced = Callable[..., CompletedProcess[str]]
KEYS = ["message", "tenantsExamined", "lifecycleInserted", "eventsInserted", "suspensionEventsInserted"]


@pytest.fixture
def at_work(cluster: Cluster, database_servers: DatabaseServers, tmp_path: Path) -> Iterator[Stack]:
    with stack(cluster, database_servers, tmp_path) as made:
        yield made


def refused(run_pieced: RunPieced, *arguments: str, env: dict[str, str]) -> tuple[int, str]:
    done = run_pieced(*arguments, env=env, check=False)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "changed", "sentence"),
    [
        (("operator", "run"), {"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        (("operator", "run"), {"DATABASE_URL": "mysql://x"}, "not a PostgreSQL URL"),
        (
            ("operator", "run"),
            {"KUBECONFIG": "/nowhere/config"},
            "KUBECONFIG names /nowhere/config, which is no file",
        ),
        (("operator", "run"), {"PIECED_RETENTION_DAYS": "soon"}, "must be a whole number of days"),
        (("operator", "run"), {"PIECED_ORG_LABEL": "no label"}, "must be a label's key, such as pieced.ch/org-id"),
        (("operator", "run", "--listen", "8080"), {}, "write HOST:PORT"),
        (("backfill",), {"KUBECONFIG": "/nowhere/config"}, "which is no file"),
        (("backfill", "--billing-start", "2026-13-01"), {}, "2026-13-01"),
        (("operator", "release", "--yes"), {"KUBECONFIG": "/nowhere/config"}, "which is no file"),
    ],
)
def test_what_is_written_wrong_is_one_sentence(
    cluster: Cluster,
    database: Database,
    run_pieced: RunPieced,
    arguments: tuple[str, ...],
    changed: dict[str, str],
    sentence: str,
) -> None:
    env = database.env() | {"KUBECONFIG": str(cluster.kubeconfig)} | changed
    status, said = refused(run_pieced, *arguments, env=env)
    assert (status, sentence in said) == (2, True), said


def test_a_file_that_is_no_kubeconfig_is_one_sentence(
    database: Database, run_pieced: RunPieced, tmp_path: Path
) -> None:
    for number, content in enumerate(("{", "apiVersion: v1\nkind: Config\n", "just text")):
        config = tmp_path / f"config-{number}"
        config.write_text(content)
        status, said = refused(run_pieced, "backfill", env=database.env() | {"KUBECONFIG": str(config)})
        assert (status, str(config) in said) == (2, True), said


def test_a_cluster_that_does_not_answer_is_one_sentence(
    cluster: Cluster, database: Database, run_pieced: RunPieced, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = tmp_path / "config"
    lines = cluster.kubeconfig.read_text().splitlines()
    config.write_text(
        "\n".join(f"    server: https://127.0.0.1:{port}" if "server:" in line else line for line in lines)
    )
    status, said = refused(run_pieced, "backfill", env=database.env() | {"KUBECONFIG": str(config)})
    assert (status, "The API server does not answer" in said) == (1, True), said


def test_a_port_that_is_taken_is_one_sentence(cluster: Cluster, database: Database, run_pieced: RunPieced) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_pieced(
            *("operator", "run", "--listen", address),
            env=database.env() | {"KUBECONFIG": str(cluster.kubeconfig)},
            check=False,
        )
    assert (done.returncode, f"--listen {address} cannot be used" in done.stderr) == (2, True), done.stderr


def test_release_takes_the_finalizers_off_and_says_what_that_means(at_work: Stack, run_pieced: RunPieced) -> None:
    at_work.package("search")
    at_work.tenant("parting", packages=["search"], suspend=True)
    at_work.await_phase("parting", "Suspended")
    package = at_work.package("search")
    awaited(lambda: at_work.api.get(package), lambda found: bool(found and found["metadata"].get("finalizers")))
    env = at_work.database.env() | {"KUBECONFIG": str(at_work.cluster.kubeconfig)}

    status, said = refused(run_pieced, "operator", "release", "--yes", env=env)
    assert (status, "stop it first" in said) == (1, True), said

    at_work.operator.stop()
    declined = run_pieced("operator", "release", env=env, stdin="n\n", check=False)
    assert declined.returncode == 130
    assert "billed on" in declined.stderr
    kept = at_work.live("parting")
    assert kept is not None
    assert kept["metadata"]["finalizers"] == ["pieced.ch/billing"]

    for point in points_of(__file__):
        died = run_pieced("operator", "release", "--yes", env=env | {"PIECED_FAULT": point}, check=False)
        assert died.returncode == -signal.SIGKILL, f"{point} is never reached"
    assert "Released" in run_pieced("operator", "release", "--yes", env=env).stdout
    at_work.delete("parting")
    at_work.await_gone("parting")
    again = run_pieced("operator", "release", "--yes", env=env)
    assert again.stdout == "Released 0 tenants and 0 packages.\n"
    at_work.operator.start()


def backfilled(run_pieced: RunPieced, at: Stack, *arguments: str) -> dict[str, object]:
    env = at.database.env() | {"KUBECONFIG": str(at.cluster.kubeconfig)}
    answer: dict[str, object] = json.loads(run_pieced("backfill", *arguments, env=env).stdout)
    assert list(answer) == KEYS
    return answer


def test_a_backfill_records_what_is_there_once_and_leaves_the_operator_nothing_to_add(
    at_work: Stack, run_pieced: RunPieced
) -> None:
    for package in ("search", "telegram"):
        at_work.package(package)
    at_work.operator.stop()
    plain = at_work.tenant("plain", packages=["search", "unknown"])
    at_work.tenant("unlabelled", org=None)
    at_work.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant-occupied"}})
    at_work.tenant("occupied")
    changed = at_work.change("plain", packages=["telegram"])
    since = "2026-11-02T10:00:00Z"
    quiet = at_work.tenant("quiet", suspend=True)
    status = json.dumps({"status": {"suspendedAt": since}})
    at_work.cluster.kubectl("patch", "pt", "quiet", "--subresource=status", "--type=merge", "-p", status)

    busy = at_work.tenant("busy", suspend=True)
    first = backfilled(run_pieced, at_work)
    assert isinstance(first["tenantsExamined"], int)
    assert first["tenantsExamined"] >= 4
    assert first["message"] == "Backfill complete."
    created, enabled = at_work.events(uid_of(plain))
    assert (created.kind, created.source) == ("created", "backfill")
    assert second_of(created.occurred_at) == plain["metadata"]["creationTimestamp"]
    assert (enabled.kind, enabled.quality) == ("enabled telegram", "bounded")
    assert second_of(enabled.occurred_at) == written_by("test", changed)
    assert at_work.kinds(uid_of(quiet)) == ["created", "suspended"]
    for name in ("unlabelled", "occupied"):
        tenant = at_work.live(name)
        assert tenant is not None
        assert at_work.events(uid_of(tenant)) == []

    for agent in ("Eve", "Ada"):  # two versions that the operator will tell
        at_work.change("busy", agentName=agent)
    second = backfilled(run_pieced, at_work)
    assert [second[key] for key in KEYS[2:]] == [0, 0, 0]
    with connect(at_work.database.url) as connection:
        assert discontinuities.of_tenant(connection, uid_of(busy)) == []
    before = at_work.events(uid_of(plain)), at_work.events(uid_of(quiet))
    at_work.operator.start()
    at_work.await_phase("plain", "Ready")
    at_work.await_phase("quiet", "Suspended")
    beside = backfilled(run_pieced, at_work)
    assert [beside[key] for key in KEYS[2:]] == [0, 0, 0]
    assert (at_work.events(uid_of(plain)), at_work.events(uid_of(quiet))) == before


def test_a_backfill_sets_the_first_day_that_is_billed(at_work: Stack, run_pieced: RunPieced) -> None:
    backfilled(run_pieced, at_work, "--billing-start", "2026-11-01")
    with connect(at_work.database.url) as connection:
        start = connection.execute("SELECT billing_start FROM billing_settings").fetchone()
    assert start is not None
    assert str(start[0]) == "2026-11-01"
