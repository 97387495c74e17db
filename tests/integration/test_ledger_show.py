"""`pieced ledger show`: a tenant's events in the order in which they count, for people and for programs."""

import json
from datetime import timedelta

import pytest
import yaml

from pieced_billing.ledger.observe import observe
from pieced_billing.store.connections import connect
from pieced_cli.main import run
from tests.databases import Database
from tests.observations import NINE, first_version, next_version


@pytest.fixture
def shown(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database with two lives of one name; in the first, a switch that was found later."""
    made = first_version("u1", packages=frozenset({"p"}))
    switched = next_version(
        made, suspended=True, asked_at=NINE + timedelta(minutes=9), seen_at=NINE + timedelta(minutes=9)
    )
    ended = next_version(switched, minutes=29, deleted_at=NINE + timedelta(minutes=30))
    with connect(database.url) as connection:
        for version in (made, switched, ended, first_version("u2", created_at=NINE + timedelta(hours=1))):
            observe(connection, version)
    monkeypatch.setenv("DATABASE_URL", database.url)
    return database


def test_all_lives_of_a_name(shown: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "show", "acme", "-o", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["uid"], first["created_at"], first["deleted_at"]) == (
        "u1",
        "2026-03-01T09:00:00Z",
        "2026-03-01T09:30:00Z",
    )
    assert [(event["seq"], event["kind"], event["at"], event["quality"]) for event in first["events"]] == [
        (1, "created", "2026-03-01T09:00:00Z", "exact"),
        (2, "enabled", "2026-03-01T09:00:00.000001Z", "exact"),
        (3, "suspended", "2026-03-01T09:01:00Z", "bounded"),
        (4, "deleted", "2026-03-01T09:30:00Z", "exact"),
    ]
    bounds = first["events"][2]
    assert (bounds["not_before"], bounds["not_after"]) == ("2026-03-01T09:00:00Z", "2026-03-01T09:01:01Z")
    assert (second["uid"], second["deleted_at"], len(second["events"])) == ("u2", None, 1)


def test_one_life_by_its_uid_in_every_format(shown: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "show", "u1", "-o", "json"]) == 0
    documents = json.loads(capsys.readouterr().out)
    assert [document["uid"] for document in documents] == ["u1"]
    assert run(["ledger", "show", "u1", "--output", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == documents


def test_the_table_is_not_cut_where_nobody_looks_at_it(shown: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "show", "acme"]) == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *("tenant", "uid", "seq", "kind", "package", "at", "not_before", "not_after", "quality", "source"),
        *("generation", "manager"),
    ]
    assert len(rows) == 5
    assert rows[2].split()[:6] == ["acme", "u1", "3", "suspended", "2026-03-01T09:01:00Z", "2026-03-01T09:00:00Z"]
