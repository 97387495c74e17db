"""`pieced price apply`: what a file says of prices becomes versions, all of it or nothing."""

from pieced_billing.prices.entries import PriceEntry, price_additions
from pieced_billing.prices.load import load_prices, save_prices
from pieced_billing.prices.read import read_prices
from pieced_billing.store.connections import Connection
from pieced_billing.store.finalised import finalised_months
from pieced_billing.store.locks import lock_prices


def apply_prices(connection: Connection, content: bytes, file: str) -> list[PriceEntry]:
    """Record what a file adds, in the caller's transaction; the same file again adds nothing.

    Returns the versions recorded, with the dates from which they hold. Raises BadFile, VatRateWithoutDate and
    PeriodFinalised. No invoice run crosses this: it waits for the end of the transaction, or we for the run's.
    """
    entries = read_prices(content, file)
    lock_prices(connection)
    added = price_additions(load_prices(connection), entries, finalised_months(connection))
    save_prices(connection, added)
    return added
