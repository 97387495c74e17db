"""Credit notes and corrections, each in one transaction under the lock of invoice runs."""

from typing import ClassVar, NamedTuple

import psycopg

from pieced_billing.errors import Refused
from pieced_billing.invoicing.credit import Wanted, credit
from pieced_billing.invoicing.original import load_original
from pieced_billing.invoicing.run import finalise
from pieced_billing.invoicing.save import save_invoices
from pieced_billing.invoicing.wish import Wish
from pieced_billing.store.connections import Connection, one_line
from pieced_billing.store.locks import lock_invoicing, rely_on_prices
from pieced_billing.store.settings import load_settings


class CannotCorrect(Refused):
    """The period of an invoice cannot be billed again as things are, so nothing was credited either."""

    code: ClassVar[str] = "cannot_correct"


class Correction(NamedTuple):
    """The number of a credit note, and of the invoice that follows; None where nothing is to be billed any more."""

    credit_note: str
    invoice: str | None


def credit_invoice(connection: Connection, number: str, wanted: Wanted, reason: str) -> str:
    """Credit an invoice, or a part of it; returns the number of the credit note.

    The connection must not be in a transaction. Raises UnknownInvoice and CannotCredit.
    """
    with connection.transaction():
        lock_invoicing(connection)
        return _credit(connection, number, wanted, reason)


def correct_invoice(connection: Connection, number: str, reason: str) -> Correction:
    """Credit what is left of an invoice and bill its period again, as prices, terms and facts are now; both or nothing.

    The connection must not be in a transaction. Raises UnknownInvoice, CannotCredit and CannotCorrect.
    """
    try:
        with connection.transaction():
            rely_on_prices(connection)
            lock_invoicing(connection)
            return _correct(connection, number, reason)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise CannotCorrect(
            f"{number} was not credited, as what it billed cannot be stored again: {one_line(error)}"
        ) from error


def _correct(connection: Connection, number: str, reason: str) -> Correction:
    original = load_original(connection, number)
    credit_note = _credit(connection, number, Wanted(), reason)
    outcome = finalise(connection, original.month, [original.org], Wish(confirmed=True))
    for parked in outcome.parked:
        raise CannotCorrect(f"{number} was not credited, as {original.month} cannot be billed again: {parked.reason}")
    return Correction(credit_note, outcome.numbers[0] if outcome.numbers else None)


def _credit(connection: Connection, number: str, wanted: Wanted, reason: str) -> str:
    today = load_settings(connection).today
    return save_invoices(connection, [credit(load_original(connection, number), wanted, reason, today)])[0]
