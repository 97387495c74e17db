"""`pieced price apply`: what a file says of prices becomes versions, all of it or nothing."""

from typing import NamedTuple

from pieced_billing.prices.entries import PriceEntry, later_starts, price_additions
from pieced_billing.prices.load import load_prices, save_prices
from pieced_billing.prices.read import read_prices
from pieced_billing.store.connections import Connection
from pieced_billing.store.finalised import finalised_months
from pieced_billing.store.locks import lock_prices


class AppliedPrices(NamedTuple):
    """What a file added, and what of it holds from a date instead of since ever (there or added)."""

    added: list[PriceEntry]
    later: list[PriceEntry]


def apply_prices(connection: Connection, content: bytes, file: str) -> AppliedPrices:
    """Record what a file adds, in the caller's transaction; the same file again adds nothing.

    The versions come back with the dates from which they hold. Raises BadFile, VatRateWithoutDate and
    PeriodFinalised. No invoice run crosses this: it waits for the end of the transaction, or we for the run's.
    """
    entries = read_prices(content, file)
    lock_prices(connection)
    book, finalised = load_prices(connection), finalised_months(connection)
    added = price_additions(book, entries, finalised)
    save_prices(connection, added)
    return AppliedPrices(added, later_starts(book, entries, finalised))
