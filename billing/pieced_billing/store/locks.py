"""The two locks that keep decisions about money apart; both are held to the end of the transaction.

The same names are taken by triggers, for whoever edits with SQL.
"""

from pieced_billing.store.connections import Connection


def lock_prices(connection: Connection) -> None:
    """Wait until nobody changes or relies on prices and terms, then be the only one."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('pieced.prices', 0))")


def rely_on_prices(connection: Connection) -> None:
    """Wait until nobody changes prices and terms; until our end they stay as they are. Others may rely on them too."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('pieced.prices', 0))")


def lock_invoicing(connection: Connection) -> None:
    """Wait until nobody finalises invoices, then be the only one."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('pieced.invoicing', 0))")
