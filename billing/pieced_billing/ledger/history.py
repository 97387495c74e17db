"""All that the ledger knows of one tenant UID, as rating reads it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger.events import Moment


class Used(NamedTuple):
    """One usage record: when it happened, of which meter, how much (CHF of spend, or messages)."""

    at: Microseconds
    meter: str
    quantity: Decimal


USAGE_UNAVAILABLE: Final = "usage_source_unavailable"
"""The code of a gap that keeps invoices back: a source did not tell all usage of the month."""


class UsageGap(NamedTuple):
    """Something missing of a tenant's usage in the billed month: a code of drafts' warnings, and a sentence."""

    code: str
    text: str


class TenantHistory(NamedTuple):
    """One tenant UID: its life, every moment from its beginning on, and the usage of the billed month, with its gaps.

    Moments and usage may come in any order. Moments after the month and usage outside it are ignored.
    """

    uid: str
    tenant: str
    created_at: Microseconds
    deleted_at: Microseconds | None
    moments: Sequence[Moment | tuple[int, int, str, str]]
    usage: Sequence[Used | tuple[int, str, Decimal]] = ()
    gaps: Sequence[UsageGap] = ()
