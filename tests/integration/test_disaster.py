"""Postgres restored to an earlier point in time, by the very commands of docs/disaster.md, on a cluster of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pieced_billing.ledger.discontinuities import of_tenant
from pieced_billing.store.connections import connect
from pieced_local import cluster as local_cluster
from pieced_local.postgres.installation import embedded
from tests.apiserver import Json
from tests.books import APRIL, MARCH, first_numbers, numbers, organisation, set_organisations, set_prices
from tests.commands import run_pieced
from tests.databases import DatabaseServers
from tests.ledger_lines import created
from tests.stacks import Stack, second_of, stack, uid_of, written_by

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/disaster.md").read_text()
RESTORED = "Postgres is restored to an earlier point in time"
NAMES = ("kept", "toggled", "paused", "ended")


def blocks(section: str) -> list[str]:
    """The shell blocks between a heading and the next one."""
    text = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@dataclass
class Site:
    """An installation: what is in the cluster, and the operator that runs while its Deployment has replicas."""

    stack: Stack
    folder: Path
    runs: bool = True

    def env(self) -> dict[str, str]:
        programs = (Path(sys.executable).parent, embedded().programs)
        env = self.stack.cluster.environment() | self.stack.database.env()
        return env | {
            "PATH": os.pathsep.join([*map(str, programs), env["PATH"]]),
            "PIECED_SEAL_KEY": str(self.folder / "key.pem"),
            "BACKUP": str(self.folder / "pieced.dump"),
            "SEAL": str(self.folder / "ledger.jsonl"),
            "NUMBERS": str(self.folder / "numbers.json"),
            "MONTH": str(MARCH.next),
        }

    def run(self, script: str) -> str:
        """Run a block of the page; returns what it printed. What it asks of the Deployment happens to the operator."""
        command = ["sh", "-eu", "-c", script]
        done = subprocess.run(command, cwd=PROJECT, env=self.env(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        deployment = ("-n", "pieced-system", "get", "deployment", "pieced-operator", "-o", "jsonpath={.spec.replicas}")
        wanted = self.stack.cluster.kubectl(*deployment) != "0"
        if wanted != self.runs:
            self.runs = wanted
            if wanted:
                self.stack.operator.start()
            else:
                self.stack.operator.stop()
        return done.stdout

    def pieced(self, *arguments: str) -> str:
        return run_pieced(*arguments, env=self.env()).stdout


@pytest.fixture
def site(database_servers: DatabaseServers, worker_state: Path, tmp_path: Path) -> Iterator[Site]:
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    with local_cluster.running(worker_state / "disaster") as cluster:
        cluster.kubectl("apply", "--server-side", "-k", "manifests/base")
        cluster.kubectl("apply", "-f", "manifests/sealing/namespace.yaml")
        cluster.apply_kinds_and_rights()  # the last: our process, not a pod, has the operator's rights
        with stack(cluster, database_servers, worker_state) as made:
            yield Site(made, tmp_path)


@dataclass(frozen=True)
class Tenants:
    """Those that were there at the backup, one that was made since, and one that is gone since."""

    before: dict[str, Json]
    born: Json
    brief: Json
    paused: Json


def before_the_backup(site: Site) -> dict[str, Json]:
    """Four tenants in the cluster; a customer of old, and the invoice of one month."""
    site.stack.package("search")
    tenants = {name: site.stack.tenant(name, suspend=name != "paused") for name in NAMES}
    for name in NAMES:
        suspended = () if name == "paused" else ("suspended",)
        site.stack.await_kinds(uid_of(tenants[name]), "created", *suspended)
    with connect(site.stack.database.url) as connection:
        set_prices(connection)
        set_organisations(connection, organisation("310001"))
    old = json.dumps(created("2026-03-01T09:00:00Z", uid="old", tenant="of-old"))
    run_pieced("ledger", "import", "-", env=site.env(), stdin=old)
    site.pieced("invoice", "run", "--month", str(MARCH))
    return tenants


def after_the_backup(site: Site, before: dict[str, Json]) -> Tenants:
    """What the restored database will not know: orders, ends, two more invoices."""
    at_work = site.stack
    born = at_work.tenant("born", suspend=True, packages=["search"])
    brief = at_work.tenant("brief", suspend=True)
    for packages in (["search"], [], ["search"]):
        at_work.change("toggled", packages=packages)
    paused = at_work.change("paused", suspend=True)
    at_work.await_phase("brief", "Suspended")
    for name in ("ended", "brief"):
        at_work.delete(name)
        at_work.await_gone(name)
    at_work.await_kinds(uid_of(paused), "created", "suspended")
    at_work.await_kinds(uid_of(born), "created", "suspended", "enabled search")
    for month in (APRIL, APRIL.next):
        site.pieced("invoice", "run", "--month", str(month))
    site.pieced("ledger", "seal", "--key", site.env()["PIECED_SEAL_KEY"], "--file", site.env()["SEAL"])
    return Tenants(before, born, brief, paused)


@pytest.mark.timeout(900)  # a busy machine takes its time
def test_postgres_is_restored_as_documented(site: Site) -> None:
    at_work = site.stack
    before = before_the_backup(site)
    site.run(*blocks("What to keep"))
    tenants = after_the_backup(site, before)
    kept = at_work.events(uid_of(before["kept"]))

    stop, restore, verify, start, await_agreement, invoice, seal = blocks(RESTORED)
    site.run(stop)
    site.run(restore)
    forget(at_work)
    assert at_work.events(uid_of(tenants.born)) == []
    lost = site.run(verify)
    for name in ("born", "brief", "toggled", "paused", "ended"):
        assert re.search(rf"\b{name}\b", lost), lost
    assert not re.search(r"\bkept\b", lost), lost
    site.run(start)
    assert site.run(await_agreement).endswith("agree: 4 tenants.\n")

    assert at_work.events(uid_of(before["kept"])) == kept
    healed(at_work, tenants)
    said = site.run(invoice)
    with connect(at_work.database.url) as connection:
        first, second, third, fourth = first_numbers(connection, 4)
        assert f"{second} to {third} were given before this database was restored" in said
        assert numbers(connection) == [first, fourth]
    (numbering,) = json.loads(site.pieced("invoice", "numbers", "-o", "json"))
    assert numbering["issued"] == [{"first": 1, "last": 1}, {"first": 4, "last": 4}]
    assert [(hole["first"], hole["last"]) for hole in numbering["holes"]] == [(2, 3)]
    site.run(await_agreement)
    site.run(seal)
    sealed = f"{site.env()['SEAL']}.restored"
    assert "all as they were recorded" in site.pieced(
        "ledger", "verify", "--seal", sealed, "--key", site.env()["PIECED_SEAL_KEY"]
    )


def forget(at_work: Stack) -> None:
    """As long after the backup the API server remembers nothing of then: it answers 410 to where we were."""
    with connect(at_work.database.owner_url) as connection:
        connection.execute("UPDATE watch_positions SET resource_version = 1")


def healed(at_work: Stack, tenants: Tenants) -> None:
    """Every tenant is as the cluster has it, and what was not seen is marked."""
    events = at_work.await_kinds(uid_of(tenants.born), "created", "suspended", "enabled search")
    assert second_of(events[0].occurred_at) == tenants.born["metadata"]["creationTimestamp"]
    assert {(event.quality, event.source) for event in events} == {("exact", "sweep")}

    _, paused = at_work.await_kinds(uid_of(tenants.paused), "created", "suspended")
    assert (paused.quality, second_of(paused.occurred_at)) == ("bounded", written_by("test", tenants.paused))

    toggled = uid_of(tenants.before["toggled"])
    *_, enabled = at_work.await_kinds(toggled, "created", "suspended", "enabled search")
    assert enabled.quality == "bounded"
    assert seams(at_work, toggled) == [("gap", 1, 4)]

    *_, deleted = at_work.await_kinds(uid_of(tenants.before["ended"]), "created", "suspended", "deleted")
    assert deleted.quality == "inferred"
    assert deleted.not_before is not None
    assert deleted.not_after is not None
    assert deleted.occurred_at - deleted.not_before < deleted.not_after - deleted.occurred_at
    assert at_work.events(uid_of(tenants.brief)) == []


def seams(at_work: Stack, uid: str) -> Sequence[tuple[str, int, int]]:
    with connect(at_work.database.url) as connection:
        return [(one.reason, one.generation_before, one.generation_after) for one in of_tenant(connection, uid)]
