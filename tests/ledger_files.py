"""Files about a tenant of the ledger, as lines, brought into a database and read out of it again."""

import io
from datetime import timedelta
from typing import Any

import orjson
import pytest

from pieced_billing.ledger.export import export_lines
from pieced_billing.ledger.import_ import Imported, ImportRefused, import_lines
from pieced_billing.store.connections import Connection
from tests.observations import NINE

Entry = dict[str, Any]


def at(minutes: float, **fields: Any) -> Entry:
    """A line about u1 so many minutes after nine."""
    instant = NINE + timedelta(minutes=minutes)
    return {"uid": "u1", "at": instant.isoformat()} | fields


def created(minutes: float = 0, **fields: Any) -> Entry:
    return at(minutes, kind="created", tenant="acme", org="310001") | fields


def deleted(minutes: float, **fields: Any) -> Entry:
    return at(minutes, kind="deleted") | fields


def enabled(minutes: float, package: str = "p", **fields: Any) -> Entry:
    return at(minutes, kind="enabled", package=package) | fields


def spend(usage_id: str, quantity: str = "1.5", minutes: float = 1, **fields: Any) -> Entry:
    return at(minutes, kind="usage", meter="llm_spend", quantity=quantity, id=usage_id) | fields


def bring(connection: Connection, *entries: Entry) -> Imported:
    with connection.transaction():
        return import_lines(connection, io.BytesIO(b"\n".join(orjson.dumps(entry) for entry in entries)))


def refusal(connection: Connection, *entries: Entry) -> list[tuple[int, str]]:
    """The lines and reasons of an import that is refused; asserts that it left nothing."""
    before = dump(connection)
    with pytest.raises(ImportRefused) as refused:
        bring(connection, *entries)
    assert dump(connection) == before
    return [(finding.line, finding.reason) for finding in refused.value.findings]


def dump(connection: Connection) -> list[bytes]:
    with connection.transaction():
        return list(export_lines(connection))
