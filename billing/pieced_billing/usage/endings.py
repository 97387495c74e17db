"""What a person says of a source: that it ends, or that what is recorded of a tenant is right up to an instant."""

from datetime import datetime
from typing import ClassVar

from pieced_billing.errors import Refused
from pieced_billing.ledger.export import instant_text
from pieced_billing.store.connections import Connection


class UnknownSource(Refused):
    """Nothing was ever collected from a source of this name."""

    code: ClassVar[str] = "unknown_source"

    def __init__(self, source: str, known: list[str]) -> None:
        there = f"there is {', '.join(known)}" if known else "there is none"
        super().__init__(f"Usage was never collected from {source!r}; {there}.")


class WrongInstant(Refused):
    """An instant at which a source cannot end, or up to which nothing can be skipped."""

    code: ClassVar[str] = "wrong_instant"


def end_source(connection: Connection, source: str, until: datetime) -> None:
    """Count usage of a source up to an instant: none of later is missing. Raises UnknownSource and WrongInstant."""
    row = connection.execute("SELECT since FROM usage_sources WHERE source = %s FOR UPDATE", [source]).fetchone()
    if row is None:
        raise _unknown(connection, source)
    if until < row[0]:
        raise WrongInstant(f"{source} counts from {instant_text(row[0])} on; it cannot end before.")
    connection.execute("UPDATE usage_sources SET until = %s WHERE source = %s", [until, source])


def skip(connection: Connection, source: str, uid: str, until: datetime) -> None:
    """Take what is recorded of a tenant UID as all of its usage up to an instant.

    Raises UnknownSource and WrongInstant.
    """
    row = connection.execute(
        "SELECT collected_until, clock_timestamp() FROM usage_coverage"
        " WHERE source = %s AND tenant_uid = %s FOR UPDATE",
        [source, uid],
    ).fetchone()
    if row is None or row[0] is None:
        if connection.execute("SELECT FROM usage_sources WHERE source = %s", [source]).fetchone() is None:
            raise _unknown(connection, source)
        raise WrongInstant(f"Nothing was collected from {source} of a tenant with the uid {uid!r}.")
    collected_until, now = row
    if not collected_until < until <= now:
        raise WrongInstant(
            f"Of {uid} all is collected until {instant_text(collected_until)}; what follows can be skipped up to now, "
            f"not up to {instant_text(until)}."
        )
    connection.execute(
        "UPDATE usage_coverage SET collected_until = %s, failure = NULL WHERE source = %s AND tenant_uid = %s",
        [until, source, uid],
    )


def _unknown(connection: Connection, source: str) -> UnknownSource:
    rows = connection.execute("SELECT source FROM usage_sources ORDER BY source").fetchall()
    return UnknownSource(source, [name for (name,) in rows])
