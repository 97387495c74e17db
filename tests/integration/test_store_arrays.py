"""Lists that go to the database come back as they were, on the short way and on the driver's own."""

from typing import Any

import psycopg
import pytest

from pieced_billing.store.connections import connect
from tests.databases import Database

LISTS: list[tuple[str, list[Any]]] = [
    ("text", ["org-1", "zwei Wörter", "", " ", "NULL", "null", "{}", "a,b", "'", "\n\t", "\u2003", "🙂"]),
    ("text", ['a "quoted" text', "x"]),
    ("text", ['","', '"']),
    ("text", ["back\\slash", "\\", "\\N"]),
    ("text", ["one", None]),
    ("text", []),
    ("bigint", [0, -1, 2**63 - 1, -(2**63)]),
    ("bigint", [1, None]),
    ("boolean", [True, False]),
    ("text", [["a", "b"], ["c", 'd"']]),
]


def test_lists_come_back_as_they_went(database: Database) -> None:
    with connect(database.url) as connection:
        for kind, values in LISTS:
            assert connection.execute(f"SELECT %s::{kind}[]", [values]).fetchone() == (values,)
        query = "SELECT count(*) FROM generate_series(1, 9) AS n WHERE n = ANY(%s) AND n::text = ANY(%s)"
        assert connection.execute(query, [[1, 2, 3], ["3", "2", "20"]]).fetchone() == (2,)
        with pytest.raises(psycopg.DataError):
            connection.execute("SELECT %s::text[]", [["nul\0"]])
