"""The invoice run: every organisation's draft of a month that is over becomes an invoice, once.

Organisations are finalised in batches, each in a transaction of its own: a run that dies leaves whole batches, and the
next one goes on where it stopped. Batches are drafted side by side and written one after the other, under one lock;
what another run wrote meanwhile is seen there, and the batch drafted again. What keeps one organisation from being
invoiced parks that organisation; the others go on.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import psycopg

from pieced_billing import faults
from pieced_billing.calendar import Month
from pieced_billing.invoicing.bills import count_decisions
from pieced_billing.invoicing.compared import record_compared
from pieced_billing.invoicing.draft_batch import draft_batch
from pieced_billing.invoicing.load import UnknownOrganisation
from pieced_billing.invoicing.outcome import Outcome, Parked
from pieced_billing.invoicing.outcomes import record_outcomes
from pieced_billing.invoicing.reopened import record_reopened
from pieced_billing.invoicing.save import save_invoices
from pieced_billing.invoicing.wish import WHOLE, Wish, refuse_wrong_time
from pieced_billing.ledger.read import organisations
from pieced_billing.parties.load import load_organisations
from pieced_billing.store.connections import Connection, one_line
from pieced_billing.store.locks import lock_invoicing, rely_on_prices
from pieced_billing.store.settings import load_settings

BATCH_TENANTS: Final = 2000
"""Organisations with so many tenants together are finalised in one transaction, or one organisation with more."""


def run(connection: Connection, month: Month, wish: Wish = WHOLE) -> Iterator[tuple[int, Outcome]]:
    """Finalise a month.

    Yields first and after each batch how many organisations are still to come, and what became of those of the batch.
    Raises PeriodNotOver, WrongIssueDate and UnknownOrganisation. The connection must not be inside a transaction.
    """
    batches = load_batches(connection, month, wish)
    to_come = sum(map(len, batches))
    yield to_come, Outcome()
    for batch in batches:
        outcome = finalise_batch(connection, month, batch, wish)
        to_come -= len(batch)
        yield to_come, outcome


def load_batches(connection: Connection, month: Month, wish: Wish) -> list[list[str]]:
    """The organisations of a run, ascending, in the batches in which they are finalised; raises what `run` does."""
    with connection.transaction():
        refuse_wrong_time(month, wish, load_settings(connection).today)
        batches = list(organisations(connection, BATCH_TENANTS, _chosen(connection, wish)))
        if wish.org is not None and not batches and not load_organisations(connection, [wish.org]):
            raise UnknownOrganisation(wish.org)
    return batches


def finalise_batch(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> Outcome:
    """Finalise the organisations of a batch for good; the connection must not be inside a transaction."""
    outcome = _finalise(connection, month, orgs, wish)
    faults.point("run.after_commit")
    return outcome


def _chosen(connection: Connection, wish: Wish) -> list[str] | None:
    """The organisations that are wished; None for all."""
    if not wish.automatic:
        return None if wish.org is None else [wish.org]
    configured = load_organisations(connection, None if wish.org is None else [wish.org])
    return [org for org, organisation in configured.items() if organisation.auto_invoice_enabled]


def _finalise(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> Outcome:
    """Finalise some organisations in one transaction; where one cannot be stored, find it by halves and park it."""
    try:
        with connection.transaction(force_rollback=wish.dry):
            return finalise(connection, month, orgs, wish)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(orgs) == 1:
            return _park(connection, month, Parked(orgs[0], "cannot_be_stored", one_line(error)), wish)
    outcome = _finalise(connection, month, orgs[: len(orgs) // 2], wish)
    outcome.add(_finalise(connection, month, orgs[len(orgs) // 2 :], wish))
    return outcome


def finalise(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> Outcome:
    """Finalise some organisations in the caller's transaction, which must commit next.

    Nobody has to wait for the drafts: only who writes is alone. Where another transaction has issued something to these
    organisations in the meantime, or carried a month of theirs, they are drafted again: runs of several months at once
    do what they would one after the other.
    """
    rely_on_prices(connection)
    known = count_decisions(connection, orgs)
    drafted = draft_batch(connection, month, orgs, wish)
    faults.point("run.after_drafts")
    if drafted.outcome.invoiced_before == len(orgs):
        return drafted.outcome
    lock_invoicing(connection)
    faults.point("run.after_lock")
    if count_decisions(connection, orgs) != known:
        drafted = draft_batch(connection, month, orgs, wish)
    outcome, invoices = drafted.outcome, drafted.invoices
    record_outcomes(connection, month, outcome.not_invoiced())
    record_compared(connection, drafted.compared)
    if invoices:
        outcome.numbers = save_invoices(connection, invoices)
        for invoice, number in zip(invoices, outcome.numbers, strict=True):
            outcome.by_series.setdefault((invoice.issued_by.issuer, invoice.series), []).append(number)
        outcome.gross = sum((invoice.gross for invoice in invoices), outcome.gross)
    outcome.reopened = record_reopened(connection, month, orgs, wish)
    return outcome


def _park(connection: Connection, month: Month, parked: Parked, wish: Wish) -> Outcome:
    outcome = Outcome(parked=[parked])
    with connection.transaction(force_rollback=wish.dry):
        record_outcomes(connection, month, outcome.not_invoiced())
    return outcome
