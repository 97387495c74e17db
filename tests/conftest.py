"""Fixtures for every test: databases and servers made for it, and nothing written outside the project."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from pieced_local import places
from pieced_local.postgres import debian
from tests.databases import SERVERS, Database, DatabaseServers
from tests.folders import temporary_folder, worker_folder

set_hypothesis_home_dir(places.PROJECT / ".cache" / "hypothesis")
# The same examples in every run, so that a failure is one of the code; a busy machine is no failure.
settings.register_profile("pieced", deadline=None, derandomize=True)
settings.load_profile("pieced")
# A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["PYTEST_DEBUG_TEMPROOT"] = str(temporary_folder())
# Control planes and kubectl, which live for seconds, spend a quarter less when they collect less garbage.
os.environ.setdefault("GOGC", "400")
# Files of tests that take longer than others begin first, so that no worker is left alone with one at the end.
LONGEST_FIRST = (
    "operator_faults",
    "operator_outages",
    "storm",
    "local_up",
    "local_demo",
    "devcluster",
    "ledger_import_contradictions",
    "ledger_import",
    "operator_commands",
    "differential_cli",
    "planted_errors",
    "disaster",
    "operator_life",
    "invoice_commands",
    "invoice_run_parallel",
    "sealed_numbers",
    "store_upgrade",
    "docs_operations",
    "docs_transcripts",
    "store_upgrade_killed",
    "manifests_image",
)


def pytest_report_header() -> str:
    """Say which PostgreSQL servers the database tests meet."""
    if debian.unpacked() is not None:
        return "PostgreSQL: 18 (embedded) and 15 (Debian's)"
    return "PostgreSQL: 18 (embedded) only; `make test` fetches Debian's 15 where the machine's package sources have it"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; `--dist loadfile` hands them out in this order."""
    order = {f"test_{name}.py": place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `both_servers` runs on each server that is there."""
    if "server_name" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_servers"):
        there = SERVERS if debian.unpacked() is not None else SERVERS[:1]
        metafunc.parametrize("server_name", there, scope="session")


@pytest.fixture
def server_name() -> str:
    """Which server the test's database is on; `both_servers` makes it a parameter."""
    return SERVERS[0]


@pytest.fixture(scope="session")
def worker_state() -> Iterator[Path]:
    """A folder for the servers of this worker; gone afterwards."""
    with worker_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def database_servers(worker_state: Path) -> Iterator[DatabaseServers]:
    """The PostgreSQL servers of this worker."""
    with ExitStack() as stack:
        yield DatabaseServers(worker_state, stack)


@pytest.fixture
def database(database_servers: DatabaseServers, server_name: str) -> Iterator[Database]:
    """A database of this test's own, with all tables."""
    with database_servers.migrated(server_name) as made:
        yield made


@pytest.fixture
def empty_database(database_servers: DatabaseServers, server_name: str) -> Iterator[Database]:
    """A database of this test's own, without any table."""
    with database_servers.empty(server_name) as made:
        yield made
