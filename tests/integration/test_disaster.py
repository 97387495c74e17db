"""The very commands of docs/disaster.md: Postgres restored to an earlier point in time, a cluster that is lost."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pieced_billing.invoicing.sealed_numbers import sealed_numbers
from pieced_billing.ledger.discontinuities import of_tenant
from pieced_billing.ledger.observe import observe
from pieced_billing.ledger.seal_keys import public_key
from pieced_billing.store.connections import connect
from pieced_local import cluster as local_cluster
from pieced_local.postgres.installation import embedded
from tests.apiserver import Json
from tests.books import APRIL, MARCH, first_numbers, numbers, organisation, set_organisations, set_prices
from tests.chained import bring, compute_anew, tampering, usage
from tests.clusters import Cluster
from tests.commands import clean_environment, run_pieced
from tests.databases import Database, DatabaseServers
from tests.ledger_lines import created
from tests.observations import NINE, first_version, recorded
from tests.stacks import Stack, second_of, stack, uid_of, written_by

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/disaster.md").read_text()
RESTORED = "Postgres is restored to an earlier point in time"
Command: TypeAlias = tuple[str, list[str]]
"""A shell block, and lines of what it prints."""
NAMES = ("kept", "toggled", "paused", "ended")


def commands(section: str) -> list[Command]:
    """The shell blocks between a heading and the next one, each with lines that it prints."""
    text = PAGE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", text, re.MULTILINE | re.DOTALL)
    return [(block, lines.splitlines()) for block, lines in found]


def shows(output: str, line: str) -> bool:
    """Whether a line is among the output: `…` is any text, and so many spaces are one."""
    wanted = re.sub(r"(\\ )?…(\\ )?", ".*", re.escape(" ".join(line.split())))
    return any(re.fullmatch(wanted, " ".join(printed.split())) for printed in output.splitlines())


@dataclass
class Site:
    """An installation: what is in the cluster, and the operator that runs while its Deployment has replicas."""

    stack: Stack
    folder: Path
    runs: bool = True

    def env(self) -> dict[str, str]:
        env = self.stack.cluster.environment() | self.stack.database.env()
        return env | {
            "PATH": f"{self.stack.cluster.kubectl_program.parent}{os.pathsep}{path()}",
            "PIECED_SEAL_KEY": str(self.folder / "key.pem"),
            "BACKUP": str(self.folder / "pieced.dump"),
            "SEAL": str(self.folder / "ledger.jsonl"),
            "NUMBERS": str(self.folder / "numbers.json"),
            "MONTH": str(MARCH.next),
        }

    def run(self, command: Command) -> str:
        """Run a block. What it asks of the Deployment happens to the operator."""
        said = shell(command, self.env())
        deployment = ("-n", "pieced-system", "get", "deployment", "pieced-operator", "-o", "jsonpath={.spec.replicas}")
        wanted = self.stack.cluster.kubectl(*deployment) != "0"
        if wanted != self.runs:
            self.runs = wanted
            if wanted:
                self.stack.operator.start()
            else:
                self.stack.operator.stop()
        return said

    def pieced(self, *arguments: str) -> str:
        return run_pieced(*arguments, env=self.env()).stdout


@pytest.fixture
def site(database_servers: DatabaseServers, worker_state: Path, tmp_path: Path) -> Iterator[Site]:
    new_key(tmp_path / "key.pem")
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


def add_customer(database: Database) -> None:
    """One who is to be invoiced from March on."""
    with connect(database.url) as connection:
        set_prices(connection)
        set_organisations(connection, organisation("310001"))
        bring(connection, [json.dumps(created("2026-03-01T09:00:00Z", uid="old", tenant="of-old"))])


def before_the_backup(site: Site) -> dict[str, Json]:
    """Four tenants in the cluster; a customer of old, and the invoice of one month."""
    site.stack.package("search")
    tenants = {name: site.stack.tenant(name, suspend=name != "paused") for name in NAMES}
    for name in NAMES:
        suspended = () if name == "paused" else ("suspended",)
        site.stack.await_kinds(uid_of(tenants[name]), "created", *suspended)
    add_customer(site.stack.database)
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
    switched = ("enabled search", "disabled search", "enabled search")
    at_work.await_kinds(uid_of(before["toggled"]), "created", "suspended", *switched)
    at_work.await_kinds(uid_of(born), "created", "suspended", "enabled search")
    for month in (APRIL, APRIL.next):
        site.pieced("invoice", "run", "--month", str(month))
    site.pieced("ledger", "seal", "--file", site.env()["SEAL"])
    return Tenants(before, born, brief, paused)


@pytest.mark.timeout(900)  # a busy machine takes its time
def test_postgres_is_restored_as_documented(site: Site) -> None:
    at_work = site.stack
    before = before_the_backup(site)
    site.run(*commands("What to keep"))
    tenants = after_the_backup(site, before)
    kept = at_work.events(uid_of(before["kept"]))

    stop, restore, verify, start, await_agreement, invoice, seal = commands(RESTORED)
    site.run(stop)
    site.run(restore)
    forget(at_work)
    assert at_work.events(uid_of(tenants.born)) == []
    lost = site.run(verify)
    for name in ("born", "brief", "toggled", "paused", "ended"):
        assert re.search(rf"\b{name}\b", lost), lost
    assert not re.search(r"\bkept\b", lost), lost
    site.run(start)
    site.run(await_agreement)

    assert at_work.events(uid_of(before["kept"])) == kept
    healed(at_work, tenants)
    site.run(invoice)
    with connect(at_work.database.url) as connection:
        first, _, _, fourth = first_numbers(connection, 4)
        assert numbers(connection) == [first, fourth]
    (numbering,) = json.loads(site.pieced("invoice", "numbers", "-o", "json"))
    assert numbering["issued"] == [{"first": 1, "last": 1}, {"first": 4, "last": 4}]
    assert [(hole["first"], hole["last"]) for hole in numbering["holes"]] == [(2, 3)]
    site.run(await_agreement)
    site.run(seal)
    sealed = f"{site.env()['SEAL']}.restored"
    assert "all as they were recorded" in site.pieced("ledger", "verify", "--seal", sealed)


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
        found = [one.seam for one in of_tenant(connection, uid)]
    return [(one.reason, one.generation_before, one.generation_after) for one in found]


def test_the_tenants_of_a_cluster_that_is_lost_end_where_they_were_last_confirmed(
    database: Database, tmp_path: Path
) -> None:
    confirmed_at = NINE + timedelta(days=2)
    with connect(database.url) as connection:
        for uid, cluster in (("u1", "lost"), ("u2", "lost"), ("u3", "another")):
            observe(connection, first_version(uid, f"of-{uid}", cluster_id=cluster))
        seen = first_version("u2", "of-u2", cluster_id="lost", source="sweep", seen_at=confirmed_at)
        observe(connection, replace(seen, asked_at=confirmed_at + timedelta(seconds=1)))
    env = clean_environment() | database.env() | {"PATH": path(), "OLD_CLUSTER": "lost"}
    env |= {"ENDS": str(tmp_path / "ends.jsonl")}
    shell(commands("The cluster is lost, Postgres is there")[0], env)
    with connect(database.url) as connection:
        ends = {uid: recorded(connection, uid)[-1] for uid in ("u1", "u2", "u3")}
    tick = timedelta(microseconds=1)
    assert (ends["u1"][1], ends["u1"][3]) == ("deleted", NINE + tick)
    assert (ends["u2"][1], ends["u2"][3]) == ("deleted", confirmed_at + tick)
    assert ends["u3"][1] == "created"


def test_a_new_key_takes_over_and_numbers_are_put_back(
    cluster: Cluster, nothing_sealed: None, database: Database, tmp_path: Path
) -> None:
    add_customer(database)
    old, new = new_key(tmp_path / "old.pem"), new_key(tmp_path / "new.pem")
    files = {name: str(tmp_path / name) for name in ("BACKUP", "SEAL", "NUMBERS")}
    env = cluster.environment() | database.env() | files | {"PATH": f"{cluster.kubectl_program.parent}:{path()}"}
    env |= {"PIECED_SEAL_KEY": str(old), "OLD_KEY": str(old)}
    run = ("invoice", "run", "--month", str(MARCH))
    run_pieced(*run, env=env)
    shell(commands("What to keep")[0], env)
    env |= {"PIECED_SEAL_KEY": str(new)}
    assert "is not signed with this key" in run_pieced(*run, env=env, check=False).stderr

    for command in commands("The seal's key is lost or stolen"):
        shell(command, env)

    run_pieced(*run, env=env)
    config_map = ("-n", "pieced-seals", "get", "configmap", "pieced-invoice-numbers", "-o", "jsonpath={.data.seal}")
    (last,) = sealed_numbers(cluster.kubectl(*config_map), public_key(new), "it").counters.values()
    assert last == 1
    cluster.kubectl("-n", "pieced-seals", "delete", "configmap", "pieced-invoice-numbers")
    shell(commands("The cluster is lost, Postgres is there")[1], env)
    assert cluster.kubectl(*config_map) == Path(files["NUMBERS"]).read_text()

    with connect(database.owner_url) as owner:  # a database that was made anew, in which the old key goes on
        owner.execute("UPDATE billing_settings SET database_id = gen_random_uuid(), numbers_sealed = false")
    env |= {"PIECED_SEAL_KEY": str(old)}
    assert "has the numbers of another database" in run_pieced(*run, env=env, check=False).stderr
    shell(commands("Postgres is lost, and there is no backup")[1], env)
    run_pieced(*run, env=env)
    assert "a run without the key" in run_pieced(*run, env=env | {"PIECED_SEAL_KEY": ""}, check=False).stderr


def test_a_seal_without_its_file_goes_on_from_what_is_published_or_is_begun_anew_by_hand(
    cluster: Cluster, nothing_sealed: None, database: Database, tmp_path: Path
) -> None:
    add_customer(database)
    with connect(database.url) as connection:
        bring(connection, [usage("old", "late")])
    kept, lost = str(tmp_path / "kept.jsonl"), tmp_path / "lost.jsonl"
    env = cluster.environment() | database.env() | {"PATH": f"{cluster.kubectl_program.parent}:{path()}"}
    env |= {"PIECED_SEAL_KEY": str(new_key(tmp_path / "key.pem")), "SEAL": kept}
    run_pieced("ledger", "seal", "--file", kept, env=env)
    again = ("ledger", "seal", "--file", str(lost))
    assert "the ledger leads to what was published at" in run_pieced(*again, env=env).stdout
    lost.unlink()
    with tampering(database) as owner:
        owner.execute("DELETE FROM usage_records")
        compute_anew(owner, "old")
    assert "There is no file" in run_pieced(*again, env=env, check=False).stderr
    shell(commands("The file of the seals is lost")[0], env)
    assert "It is the first" in run_pieced(*again, env=env).stdout


def new_key(path: Path) -> Path:
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def shell(command: Command, env: Mapping[str, str]) -> str:
    """Run a block of the page, which prints what the page says."""
    script, lines = command
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    missing = [line for line in lines if not shows(done.stdout, line)]
    assert not missing, f"{missing}\n{done.stdout}"
    return done.stdout


def path() -> str:
    """Where the page's commands are: `pieced`, and the programs of PostgreSQL."""
    programs = (str(Path(sys.executable).parent), str(embedded().programs))
    return os.pathsep.join([*programs, os.environ["PATH"]])
