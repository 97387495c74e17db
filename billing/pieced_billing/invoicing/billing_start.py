"""The first day that is billed at all (rule 18): when it may still be set, and setting it."""

from collections.abc import Collection
from datetime import date

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.store.connections import Connection
from pieced_billing.store.finalised import finalised_months
from pieced_billing.store.locks import lock_prices
from pieced_billing.store.settings import load_settings


class BillingStartFinalised(Refused):
    """Another billing start would change what is billed for a month that is finalised."""

    code = "billing_start_finalised"

    def __init__(self, day: date, month: Month) -> None:
        super().__init__(f"{month} is finalised; a billing start of {day} would change it.")


def set_billing_start(connection: Connection, day: date) -> None:
    """Let nothing before `day` be billed, in the caller's transaction.

    Raises BillingStartFinalised. No invoice run crosses this: it waits for the end of the transaction, or we for its.
    """
    lock_prices(connection)
    month = changed_month(load_settings(connection).billing_start, day, finalised_months(connection))
    if month is not None:
        raise BillingStartFinalised(day, month)
    connection.execute("UPDATE billing_settings SET billing_start = %s", [day])


def changed_month(before: date | None, after: date, finalised: Collection[Month]) -> Month | None:
    """The first finalised month with a day that is billed with one start and not with the other."""
    begin, end = sorted((before or date.min, after))
    if begin == end:
        return None
    return min((month for month in finalised if month.first < end and begin <= month.last), default=None)
