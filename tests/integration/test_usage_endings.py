"""What a person says of a source: that it ends, and that what is recorded of a tenant is right."""

from collections.abc import Iterator
from typing import Any

import pytest

from pieced_billing.store.connections import Connection, connect
from tests.commands import run_pieced
from tests.databases import Database

UID = "uid-of-acme"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A source that counts from March on, and has told of a tenant until the 10th."""
    with connect(database.url) as opened:
        opened.autocommit = True
        opened.execute("INSERT INTO usage_sources (source, since) VALUES ('litellm', '2026-03-01T00:00:00+01:00')")
        opened.execute(
            "INSERT INTO usage_coverage (source, tenant_uid, collected_from, collected_until, failure)"
            " VALUES ('litellm', %s, '2026-03-01T00:00:00+01:00', '2026-03-10T00:00:00+01:00', 'changed')",
            [UID],
        )
        yield opened


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_a_source_ends_with_a_local_day(database: Database, connection: Connection) -> None:
    said = run_pieced("usage", "end", "litellm", "--on", "2026-04-01", env=database.env(), check=False)
    assert (said.returncode, said.stdout) == (0, "litellm is waited for up to 2026-04-01, and not from then on.\n")
    until = one(connection, "SELECT to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM usage_sources")
    assert until == "2026-03-31 22:00"


def test_what_was_changed_at_its_source_is_skipped(database: Database, connection: Connection) -> None:
    said = run_pieced(
        "usage", "skip", "litellm", UID, "--until", "2026-03-11T12:00:00Z", env=database.env(), check=False
    )
    expected = f"Usage of {UID} counts as collected from litellm until 2026-03-11T12:00:00Z.\n"
    assert (said.returncode, said.stdout) == (0, expected)
    query = "SELECT collected_until = '2026-03-11T12:00:00Z' AND failure IS NULL FROM usage_coverage"
    assert one(connection, query) is True


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("end", "threema", "--on", "2026-04-01"), 1, "never collected from 'threema'; there is litellm."),
        (("end", "litellm", "--on", "2026-02-01"), 1, "litellm counts from 2026-02-28T23:00:00Z on; it cannot end"),
        (("end", "litellm", "--on", "April"), 2, "'April' is not a date"),
        (("skip", "threema", UID, "--until", "2026-03-11T12:00:00Z"), 1, "never collected from 'threema'"),
        (("skip", "litellm", "x", "--until", "2026-03-11T12:00:00Z"), 1, "from litellm of a tenant with the uid 'x'."),
        (("skip", "litellm", UID, "--until", "2026-03-09T12:00:00Z"), 1, "all is collected until 2026-03-09T23:00:00Z"),
        (("skip", "litellm", UID, "--until", "2999-03-09T12:00:00Z"), 1, "skipped up to now, not up to 2999-03-09"),
        (("skip", "litellm", UID, "--until", "2026-03-11"), 2, "is not an instant with an offset"),
    ],
)
@pytest.mark.usefixtures("connection")
def test_what_cannot_be_is_said_in_a_sentence(
    database: Database, arguments: tuple[str, ...], status: int, said: str
) -> None:
    refused = run_pieced("usage", *arguments, env=database.env(), check=False)
    assert (refused.returncode, refused.stdout) == (status, "")
    assert said in refused.stderr
