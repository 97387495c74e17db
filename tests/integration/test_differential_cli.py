"""The whole way of a bill through the commands, compared with the oracle: files in, drafts out, on a real database."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.commands import run_pieced
from tests.databases import Database, DatabaseServers
from tests.oracle.bill import Books, Question, bill
from tests.property.histories import random_world

ORGS = 40
WORLDS = [
    (1, "2023-12", "2024-01", "2023-12-20T22:59:59.999999Z"),
    (2, "2026-03", "2026-04", "2026-03-29T00:59:59.999999Z"),
    (3, "2026-10", "2026-09", "2026-10-24T22:00:00Z"),
    (4, "2024-02", "2024-03", "2024-02-29T12:00:00+01:00"),
]


@pytest.mark.parametrize(("seed", "month", "other_month", "as_of"), WORLDS)
def test_drafts_of_imported_files_are_the_oracles(
    seed: int, month: str, other_month: str, as_of: str, database: Database, tmp_path: Path
) -> None:
    books = random_world(Random(seed), month, "Europe/Zurich", ORGS)
    fill(books, database, tmp_path)
    for question in (Question("", month), Question("", other_month), Question("", month, as_of=as_of)):
        found = drafts(database, question)
        assert found == expected(books, question)
        assert sum(len(draft["lines"]) for draft in found) > ORGS // 2


def test_the_billing_zone_of_the_database_decides(database_servers: DatabaseServers, tmp_path: Path) -> None:
    books = random_world(Random(5), "2026-03", "America/New_York", ORGS)
    with database_servers.empty("pg18") as database:
        run_pieced("db", "upgrade", "--billing-zone", "America/New_York", env=database.env())
        fill(books, database, tmp_path)
        question = Question("", "2026-03", zone="America/New_York")
        assert drafts(database, question) == expected(books, question)


def test_an_exported_ledger_gives_the_same_drafts_and_the_same_export(
    database: Database, database_servers: DatabaseServers, tmp_path: Path
) -> None:
    books = random_world(Random(6), "2026-03", "Europe/Zurich", ORGS)
    fill(books, database, tmp_path)
    exported = run_pieced("ledger", "export", env=database.env()).stdout
    with database_servers.migrated("pg18") as second:
        fill(books, second, tmp_path, ledger=exported)
        assert drafts(second, Question("", "2026-03")) == drafts(database, Question("", "2026-03"))
        assert run_pieced("ledger", "export", env=second.env()).stdout == exported


def test_the_same_lines_in_several_imports_give_the_same_drafts(database: Database, tmp_path: Path) -> None:
    """Lives first, since a file may not speak of what nothing created; then the rest, some of it again."""
    books = random_world(Random(7), "2026-03", "Europe/Zurich", ORGS)
    lives = [line for line in books.lines if line["kind"] in {"created", "deleted"}]
    others = [line for line in books.lines if line["kind"] not in {"created", "deleted"}]
    middle = len(others) // 2
    for part in (lives, others[:middle], others[middle // 2 :]):
        lines = "".join(json.dumps(line) + "\n" for line in part)
        run_pieced("ledger", "import", "-", env=database.env(), stdin=lines)
    fill(books, database, tmp_path)
    question = Question("", "2026-03")
    assert drafts(database, question) == expected(books, question)


def fill(books: Books, database: Database, folder: Path, ledger: str | None = None) -> None:
    """Import the lines or another ledger; apply the first entries of the prices as one file, the others as another."""
    env = database.env()
    lines = "".join(json.dumps(line) + "\n" for line in books.lines) if ledger is None else ledger
    run_pieced("ledger", "import", "-", env=env, stdin=lines)
    for part in (slice(1), slice(1, None)):
        packages = {package: entries[part] for package, entries in books.packages.items()}
        prices = written(folder / "prices.yaml", {"platform": books.platform[part], "packages": packages})
        run_pieced("price", "apply", "-f", prices, env=env)
    run_pieced("org", "apply", "-f", written(folder / "orgs.yaml", {"orgs": books.orgs}), env=env)


def written(path: Path, content: Mapping[str, Any]) -> str:
    path.write_text(json.dumps(content, default=str))  # JSON is YAML; dates and numbers are told as text
    return str(path)


def drafts(database: Database, question: Question) -> list[dict[str, Any]]:
    """What `pieced invoice draft --all` prints; of a warning its code and tenant, each once."""
    as_of = () if question.as_of is None else ("--as-of", question.as_of)
    command = ("invoice", "draft", "--month", question.month, "--all", *as_of, "-o", "json")
    printed = [json.loads(line) for line in run_pieced(*command, env=database.env()).stdout.splitlines()]
    return [{**draft, "warnings": codes(draft["warnings"])} for draft in printed]


def codes(warnings: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    named = dict.fromkeys((warning["code"], warning["tenant"]) for warning in warnings)
    return [{"code": code, "tenant": tenant} for code, tenant in named]


def expected(books: Books, question: Question) -> list[dict[str, Any]]:
    orgs = sorted({line["org"] for line in books.lines if line["kind"] == "created"})
    return [bill(books, Question(org, question.month, question.zone, as_of=question.as_of)) for org in orgs]
