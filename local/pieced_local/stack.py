"""The whole local stack: control plane, Postgres, tables, kinds, operator; started in order and stopped in reverse."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pieced_local import cluster, database, places
from pieced_local.cluster import Cluster
from pieced_local.errors import LocalError
from pieced_local.locks import Taken, file_lock
from pieced_local.operator_process import OperatorProcess


class StackFailed(LocalError):
    """The stack cannot run; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that runs: its cluster, the variables of its database, its operator."""

    cluster: Cluster
    database: dict[str, str]
    operator: OperatorProcess

    def pieced(self, *arguments: str) -> str:
        """Run the `pieced` command and return what it printed. Raises StackFailed with its complaint."""
        return _pieced(arguments, self.variables())

    def variables(self) -> dict[str, str]:
        """The environment in which `pieced` and kubectl use this stack."""
        return self.cluster.environment() | self.database


@contextmanager
def running(console: Console) -> Iterator[Stack]:
    """Run the stack with its data in the state folder until the block ends, telling `console` what happens.

    Raises StackFailed, ClusterFailed, OperatorFailed, and the errors of the database's server.
    """
    state = places.state()
    with (
        _alone_in(state),
        console.status("Starting PostgreSQL …") as status,
        database.running(state / "postgres") as urls,
    ):
        _pieced(("db", "upgrade"), urls)
        status.update("Starting the control plane …")
        with _cluster(state / "cluster") as running_cluster:
            running_cluster.apply_kinds_and_rights()
            status.update("Starting the operator …")
            variables = urls | {"KUBECONFIG": str(running_cluster.operator_kubeconfig)}
            operator = OperatorProcess(variables, state / "operator.log")
            try:
                operator.start()
                status.stop()
                yield Stack(running_cluster, urls, operator)
            finally:
                operator.stop()


def _cluster(folder: Path) -> AbstractContextManager[Cluster]:
    if kubeconfig := os.environ.get("KUBECONFIG"):
        return nullcontext(cluster.given(Path(kubeconfig)))
    return cluster.running(folder)


@contextmanager
def _alone_in(state: Path) -> Iterator[None]:
    try:
        with file_lock(state / "lock", wait=False):
            yield
    except Taken:
        raise StackFailed(
            f"The stack of {state} runs already: stop it with Ctrl-C where it was started, "
            "or set PIECED_STATE to another folder."
        ) from None


def _pieced(arguments: tuple[str, ...], variables: dict[str, str]) -> str:
    command = [str(places.venv() / "bin" / "pieced"), *arguments]
    environment = places.environment() | variables
    done = subprocess.run(command, cwd=places.PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackFailed(done.stderr.strip())
    return done.stdout
