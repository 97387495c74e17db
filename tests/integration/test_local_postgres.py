"""Our launcher of PostgreSQL: what it starts, and what it survives."""

import psycopg
import pytest

from tests.databases import Database


@pytest.mark.both_servers
def test_the_two_roles_reach_a_new_database(empty_database: Database) -> None:
    for url, role in [(empty_database.url, "pieced_app"), (empty_database.owner_url, "pieced_owner")]:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == (
                role,
                empty_database.name,
            )
