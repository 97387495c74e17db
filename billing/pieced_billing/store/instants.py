"""Instants in bulk: PostgreSQL's own form of a timestamptz as microseconds, without a datetime in between."""

from typing import Final

from pieced_billing.calendar import Microseconds

_POSTGRES_EPOCH: Final = 946_684_800_000_000
"""2000-01-01T00:00Z, in microseconds since 1970."""


def from_wire(value: int) -> Microseconds:
    """Microseconds since 1970 of a binary timestamptz that was read as an int8 (microseconds since 2000)."""
    return value + _POSTGRES_EPOCH


def to_wire(instant: Microseconds) -> int:
    """The binary form of a timestamptz, as an int8, of microseconds since 1970."""
    return instant - _POSTGRES_EPOCH
