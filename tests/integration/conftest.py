"""Fixtures of tests against a real API server, and real processes of Pieced."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.store.connections import Connection, connect
from pieced_local import cluster as local_cluster
from tests import commands
from tests.chained import fill, seal
from tests.clusters import Cluster
from tests.databases import Database
from tests.faults.api_proxy import ApiProxy, api_proxy
from tests.faults.loop_thread import LoopThread, loop_thread
from tests.sweeps import PACKAGE, TENANT, remove

SEALS = ("pieced-ledger-seal", "pieced-invoice-numbers")


@pytest.fixture(scope="session")
def cluster(worker_state: Path) -> Iterator[Cluster]:
    """A control plane for this worker that knows our kinds and the operator's rights."""
    folder = worker_state / "cluster"
    with local_cluster.running(folder, audit_log=folder / "audit.log") as running:
        running.apply_kinds_and_rights()
        yield running


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A session of the application; each statement is a transaction of its own."""
    with connect(database.url) as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with something in every table of the ledger."""
    fill(database)
    return database


@pytest.fixture
def sealed(filled: Database, tmp_path: Path) -> SealFile:
    """The seal of all that is in it."""
    return seal(filled, tmp_path / "ledger.jsonl")


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """An event loop in a thread of its own."""
    with loop_thread() as made:
        yield made


@pytest.fixture
def proxied(loop: LoopThread, cluster: Cluster, tmp_path: Path) -> Iterator[tuple[ApiProxy, Path]]:
    """A proxy before this worker's API server, and the kubeconfig that leads the operator through it."""
    kubeconfig = tmp_path / "proxied.kubeconfig"
    with api_proxy(loop, cluster.operator_kubeconfig, kubeconfig) as proxy:
        yield proxy, kubeconfig


@pytest.fixture
def swept(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """This worker's cluster with a tenant and its package, whose sweeps wait for nothing."""
    for wait in ("SOON_SECONDS", "REPLAY_SECONDS"):
        monkeypatch.setattr(f"pieced_operator.sweep.{wait}", 0)
    cluster.kubectl("apply", "-f", "-", stdin=PACKAGE)
    cluster.kubectl("apply", "-f", "-", stdin=TENANT)
    yield cluster
    remove(cluster)
    cluster.kubectl("delete", "pp", "broom", "--ignore-not-found")


@pytest.fixture(scope="session")
def sealing_rights(cluster: Cluster) -> None:
    """Makes the worker's cluster have the namespace for seals, and who may write there."""
    policy = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    kinds = ("Namespace", "ServiceAccount", "Role", "RoleBinding", *policy)
    built = yaml.safe_load_all(cluster.kubectl("kustomize", "manifests/sealing"))
    documents = yaml.safe_dump_all(document for document in built if document["kind"] in kinds)
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=documents)


@pytest.fixture
def nothing_sealed(cluster: Cluster, sealing_rights: None) -> None:
    """The same, with nothing published in it, as before the first seal."""
    cluster.kubectl("-n", "pieced-seals", "delete", "configmaps", "--ignore-not-found", *SEALS)


@pytest.fixture(scope="session")
def run_pieced() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `pieced ARGUMENTS` as a process: see tests/commands.py."""
    return commands.run_pieced
