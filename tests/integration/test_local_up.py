"""`make up`'s process: it says how to use the stack, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pieced_local import cluster
from pieced_local.children import dying_with_parent
from tests.commands import clean_environment
from tests.databases import Database
from tests.processes import await_none_left, processes_with


@pytest.fixture(scope="module")
def state(worker_state: Path) -> Path:
    """The folder of one stack, which is started again and again, whatever became of it before."""
    return worker_state / "stack"


def test_being_killed_ends_everything(state: Path) -> None:
    with stack_in(state) as (up, _):
        up.kill()
    await_none_left("PIECED_STATE", state)


def test_the_settings_lead_kubectl_and_pieced_to_the_stack_until_ctrl_c(state: Path) -> None:
    with stack_in(state) as (up, said):
        assert f". {state}/env" in said
        assert (state / "env").stat().st_mode & 0o077 == 0
        assert password_in(state) not in said
        script = f". '{state}/env' && kubectl get piecedtenants --output=name && pieced db upgrade"
        used = subprocess.run(["sh", "-c", script], env=clean_environment(), capture_output=True, text=True, check=True)
        assert "already" in used.stdout
        assert_ends_everything(up, state, signal.SIGINT)


def test_a_second_stack_of_the_same_folder_is_refused_until_the_first_is_terminated(state: Path) -> None:
    with stack_in(state) as (first, _):
        second = subprocess.run(command(), env=environment(state), capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert second.stderr.startswith(f"The stack of {state} runs already")
        assert_ends_everything(first, state, signal.SIGTERM)


def assert_ends_everything(up: subprocess.Popen[str], state: Path, request_to_stop: signal.Signals) -> None:
    assert len(processes_with("PIECED_STATE", state)) > 5, "control plane, Postgres and operator run"
    up.send_signal(request_to_stop)
    assert up.wait(60) == 0
    await_none_left("PIECED_STATE", state)


def test_an_operator_that_ends_by_itself_ends_the_stack(state: Path) -> None:
    with stack_in(state) as (up, _):
        for process in processes_with("PIECED_STATE", state):
            if b"operator\0run" in Path(f"/proc/{process}/cmdline").read_bytes():
                os.kill(process, signal.SIGKILL)
        assert up.wait(60) == 1
        assert up.stderr is not None
        assert "The operator ended by itself" in up.stderr.read()
    await_none_left("PIECED_STATE", state)


def test_a_cluster_and_a_database_that_are_given_are_used(worker_state: Path, empty_database: Database) -> None:
    state = worker_state / "given"
    with cluster.running(worker_state / "somebodys-cluster") as theirs:
        given = {"KUBECONFIG": str(theirs.kubeconfig), **empty_database.env()}
        with stack_in(state, given) as (up, _):
            assert theirs.kubectl("get", "piecedtenants", "--output=name") == "", "it knows our kinds now"
            with psycopg.connect(empty_database.url) as connection:
                assert connection.execute("SELECT count(*) FROM tenant_billing_lifecycle").fetchone() == (0,)
            assert len(processes_with("PIECED_STATE", state)) == 2, "ours are up and the operator"
            up.terminate()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none", "127.0.0.1"),
        ("KUBECONFIG", "/no/such/kubeconfig", "/no/such/kubeconfig"),
    ],
)
def test_what_was_given_and_does_not_answer_is_one_sentence(
    worker_state: Path, variable: str, value: str, sentence: str
) -> None:
    state = worker_state / f"given-{variable}"
    up = subprocess.run(
        command(), env=environment(state) | {variable: value}, capture_output=True, text=True, check=False
    )
    assert up.returncode == 1
    assert sentence in up.stderr
    assert "secret" not in up.stderr
    assert "Traceback" not in up.stderr
    await_none_left("PIECED_STATE", state)


def command() -> list[str]:
    return dying_with_parent([sys.executable, "-m", "pieced_local", "up"])


def environment(state: Path) -> dict[str, str]:
    return clean_environment() | {"PIECED_STATE": str(state)}


@contextmanager
def stack_in(state: Path, given: Mapping[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A stack that runs, with its data in `state`, and what it said until then."""
    with subprocess.Popen(
        command(), env=environment(state) | dict(given or {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        try:
            assert up.stdout is not None
            said = ""
            while "operator log" not in said:
                line = up.stdout.readline()
                assert line, f"the stack ended: {said} {up.stderr.read() if up.stderr else ''}"
                said += line
            yield up, said
        finally:
            if up.poll() is None:
                up.terminate()


def password_in(state: Path) -> str:
    [line] = [line for line in (state / "env").read_text().splitlines() if "DATABASE_URL" in line]
    return line.split(":")[2].split("@")[0]
