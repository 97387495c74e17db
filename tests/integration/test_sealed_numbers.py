"""Invoice runs that seal their numbers in a real cluster: when they die, run at once, are refused, or begin anew."""

import asyncio
import itertools
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pieced_billing.invoicing.issued import numberings
from pieced_billing.invoicing.number import Counters, NumberSeries
from pieced_billing.ledger.soundness import NumberRun
from pieced_billing.store.connections import connect
from pieced_billing.store.settings import database_id
from pieced_operator.published_numbers import PublishedNumbers
from tests.apiserver import awaited
from tests.books import APRIL, MARCH, add_customers, describe_issuer, first_numbers, numbers, run_invoices
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database, DatabaseServers
from tests.fault_points import points_of
from tests.seals import KEY, Seals, seals_in

CUSTOMERS = 3
NAMESPACES = (f"sealed-{number}" for number in itertools.count(1))
LOST = "were given before this database was restored: recorded as lost."


@pytest.fixture
def seals(cluster: Cluster, tmp_path: Path) -> Iterator[Seals]:
    made = seals_in(cluster, next(NAMESPACES), tmp_path)
    yield made
    cluster.kubectl("delete", "namespace", made.namespace, "--wait=false")


@pytest.fixture
def books(database: Database) -> Database:
    """A database with customers to invoice."""
    with connect(database.url) as connection:
        add_customers(connection, CUSTOMERS)
    return database


def given(database: Database) -> list[str]:
    with connect(database.url) as connection:
        return numbers(connection)


def id_of(database: Database) -> UUID:
    with connect(database.url) as connection:
        return database_id(connection)


def firsts(database: Database, count: int) -> list[str]:
    with connect(database.url) as connection:
        return first_numbers(connection, count)


def test_what_one_database_gave_no_other_gives_again(
    seals: Seals, books: Database, database_servers: DatabaseServers
) -> None:
    with database_servers.copied("pg18", books) as restored:
        assert seals.run(books)[0] == 0
        assert seals.last() == CUSTOMERS
        status, said = seals.run(restored, "2099-01")
        first, _, last = firsts(restored, CUSTOMERS)
        assert f"{first} to {last} {LOST}" in said
        assert (status, "is not over" in said) == (1, True), (
            "it is said by the run that finds it, also if it fails then"
        )
        status, said = seals.run(restored)
        assert status == 0, said
        assert given(restored) == firsts(restored, 2 * CUSTOMERS)[CUSTOMERS:]
        assert seals.last() == 2 * CUSTOMERS
        status, said = seals.run(restored)
        assert said.startswith(f"0 invoices finalised for 2026-03; {CUSTOMERS} organisations invoiced before")


def test_a_credit_note_that_is_refused_names_the_hole_that_it_found(seals: Seals, books: Database) -> None:
    seals.publish(id_of(books), lambda published: published.rise_to({NumberSeries("default", "INV", 2020): 2}))
    credit = ("invoice", "credit", "INV-2020-000001", "--reason", "wrong address")
    refused = run_pieced(*credit, env=seals.env(books), check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[0] == f"INV-2020-000001 to INV-2020-000002 {LOST}"


def test_what_another_database_sealed_is_no_hole_of_this_one(seals: Seals, books: Database) -> None:
    series = NumberSeries("default", "INV", 2026)
    seals.publish(UUID(int=1), lambda published: published.rise_to({series: 2}))
    status, said = seals.run(books)
    assert status == 1
    assert said == (
        "pieced: Nothing was issued, because the invoice numbers cannot be sealed: The ConfigMap "
        f"{seals.namespace}/pieced-invoice-numbers has the numbers of another database: {UUID(int=1)}, not "
        f"{id_of(books)}. Seal this one's in a namespace of their own (PIECED_SEAL_NAMESPACE); if it takes the place "
        "of that one, give it its id (docs/disaster.md).\n"
    )
    with connect(books.url) as connection:
        assert numberings(connection) == []
    assert seals.counters() == {series: 2}


def test_only_invoices_whose_numbers_are_sealed_are_sent(seals: Seals, books: Database, tmp_path: Path) -> None:
    """The public key is enough to know which those are."""
    assert seals.run(books)[0] == 0
    with connect(books.url) as connection:
        describe_issuer(connection, email="billing@pieced.example")
        run_invoices(connection, APRIL)  # which seals nothing
    public = tmp_path / "public.pem"
    public.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    env = seals.env(books) | {"PIECED_SEAL_KEY": str(public)}
    done = run_pieced("invoice", "send", "--pending", "--dry-run", "-o", "json", env=env, check=False)
    found = json.loads(done.stdout)
    assert [message["message"] for message in found["messages"]] == firsts(books, CUSTOMERS)
    assert found["unsealed"] == firsts(books, 2 * CUSTOMERS)[CUSTOMERS:]


def test_once_numbers_are_sealed_no_run_goes_without_the_key(seals: Seals, books: Database) -> None:
    """An empty variable is none."""
    assert seals.run(books)[0] == 0
    status, said = seals.run(books, APRIL, PIECED_SEAL_KEY="")
    assert status == 1
    assert said.startswith("pieced: The invoice numbers of this database are sealed, and a run without the key")
    assert given(books) == firsts(books, CUSTOMERS)
    assert seals.run(books, APRIL)[0] == 0
    with connect(books.owner_url) as owner:
        owner.execute("UPDATE billing_settings SET numbers_sealed = false")
    assert seals.run(books, APRIL, PIECED_SEAL_KEY="")[0] == 0


@pytest.mark.parametrize("point", points_of(__file__))
def test_a_run_that_dies_around_its_seal_certifies_and_seals_all_of_it_when_it_is_run_again(
    seals: Seals, books: Database, point: str
) -> None:
    """Two numbers were sealed before, by a database that is lost."""
    year = int(firsts(books, 1)[0].split("-")[1])
    series = NumberSeries("default", "INV", year)
    seals.publish(id_of(books), lambda published: published.rise_to({series: 2}))
    assert seals.run(books, PIECED_FAULT=point)[0] == -signal.SIGKILL
    issued = firsts(books, 2 + CUSTOMERS)[2:]
    assert given(books) == ([] if point == "numbers.after_holes" else issued)
    assert seals.last() == (2 + CUSTOMERS if point == "numbers.after_publish" else 2)
    status, said = seals.run(books)
    assert (status, given(books), seals.last()) == (0, issued, 2 + CUSTOMERS), said
    with connect(books.url) as connection:
        (numbering,) = numberings(connection)
    assert [hole.numbers for hole in numbering.holes] == [NumberRun(1, 2)]


def test_runs_at_once_seal_all_of_their_numbers(seals: Seals, books: Database) -> None:
    months = (MARCH, APRIL, APRIL.next)
    with ThreadPoolExecutor(len(months)) as threads:
        done = list(threads.map(lambda month: seals.run(books, month), months))
    assert [status for status, _ in done] == [0, 0, 0], done
    assert seals.last() == CUSTOMERS * len(months)
    assert given(books) == firsts(books, CUSTOMERS * len(months))


def test_writers_at_once_raise_each_other_and_lose_nothing(seals: Seals) -> None:
    series = [NumberSeries("default", "INV", year) for year in range(2020, 2024)]

    async def write(published: PublishedNumbers) -> Counters:
        await asyncio.gather(*(published.rise_to({one: one.year - 2000}) for one in series))
        await asyncio.gather(*(published.rise_to({one: 7}) for one in series))  # none falls
        found = await published.read()
        assert found is not None
        return found.counters

    assert seals.publish(UUID(int=1), write) == {one: one.year - 2000 for one in series}


def test_what_cannot_be_believed_or_read_lets_nothing_be_issued(seals: Seals, books: Database, tmp_path: Path) -> None:
    nothing = "pieced: Nothing was issued, because the invoice numbers cannot be sealed: "
    closed = yaml.safe_load(seals.cluster.kubeconfig.read_text())
    closed["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "closed.yaml").write_text(yaml.safe_dump(closed))
    status, said = seals.run(books, KUBECONFIG=str(tmp_path / "closed.yaml"))
    assert status == 1
    assert said.startswith(f"{nothing}The API server does not answer: ")

    status, said = seals.run(books, PIECED_SEAL_NAMESPACE="nowhere")
    assert status == 1
    assert said.startswith(f"{nothing}There is no namespace nowhere")

    forged = json.dumps({"statement": {"kind": "invoice_numbers", "last": {}}, "signature": "AAAA"})
    create = ("create", "configmap", "pieced-invoice-numbers", f"--from-literal=seal={forged}")
    seals.cluster.kubectl("-n", seals.namespace, *create)
    status, said = seals.run(books)
    assert status == 1
    assert said == (
        f"{nothing}The ConfigMap {seals.namespace}/pieced-invoice-numbers is not signed with this key: it was changed,"
        " or another key signed it.\n"
    )
    status, said = seals.run(books, PIECED_SEAL_KEY=str(tmp_path / "absent.pem"))
    assert status == 2
    assert given(books) == []


def test_numbers_that_cannot_be_sealed_any_more_are_not_sent_and_sealed_by_the_same_command(
    seals: Seals, books: Database
) -> None:
    """Who runs it may read the ConfigMap and create it, and not change it. A hole is named by the run that can."""
    role = ("role", "reading", "--verb=get", "--resource=configmaps")
    for arguments in (role, ("rolebinding", "reading", "--role=reading", "--user=pieced-operator")):
        seals.cluster.kubectl("-n", seals.namespace, "create", *arguments)
    awaited(lambda: seals.operator_may("get"), bool)
    status, said = seals.run(books, KUBECONFIG=str(seals.cluster.operator_kubeconfig))
    assert status == 1
    assert f"{CUSTOMERS} invoices finalised for 2026-03" in said
    assert "The invoices are issued and nothing was sent, because their numbers are not sealed: The API server" in said
    assert (given(books), seals.last()) == (firsts(books, CUSTOMERS), 0)

    before = NumberSeries("default", "INV", 2020)
    seals.publish(id_of(books), lambda published: published.rise_to({before: 2}))
    status, said = seals.run(books, KUBECONFIG=str(seals.cluster.operator_kubeconfig))
    assert (status, "Nothing was issued" in said, "recorded as lost" in said) == (1, True, False), said
    status, said = seals.run(books)
    assert (status, f"INV-2020-000001 to INV-2020-000002 {LOST}" in said) == (0, True), said
    this_year = int(given(books)[0].split("-")[1])
    assert seals.counters() == {before: 2, NumberSeries("default", "INV", this_year): CUSTOMERS}
