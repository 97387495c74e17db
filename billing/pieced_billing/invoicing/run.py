"""The invoice run: every organisation's draft of a month that is over becomes an invoice, once.

Organisations are finalised in batches, each in a transaction of its own: a run that dies leaves whole batches, and the
next one goes on where it stopped. Batches are drafted side by side and written one after the other, under one lock;
what another run wrote meanwhile is seen there, and the batch drafted again. What keeps one organisation from being
invoiced parks that organisation; the others go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import psycopg

from pieced_billing import faults
from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.bills import Bills, count_documents, load_bills
from pieced_billing.invoicing.carried import has_own_lines, is_carried
from pieced_billing.invoicing.compared import record_compared
from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.facts import load_facts
from pieced_billing.invoicing.issue import issue
from pieced_billing.invoicing.known_versions import known_prices, known_terms
from pieced_billing.invoicing.load import UnknownOrganisation
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.invoicing.outcomes import Decided, Stage, record_outcomes
from pieced_billing.invoicing.proof import Basis
from pieced_billing.invoicing.save import save_invoices
from pieced_billing.invoicing.usual import mean_bills, refuse_unusual
from pieced_billing.invoicing.wish import WHOLE, Wish, refuse_wrong_time
from pieced_billing.ledger.read import organisations
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.load import load_organisations, load_terms
from pieced_billing.store.connections import Connection, one_line
from pieced_billing.store.locks import lock_invoicing, rely_on_prices
from pieced_billing.store.settings import load_settings

BATCH_TENANTS: Final = 2000
"""Organisations with so many tenants together are finalised in one transaction, or one organisation with more."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An organisation that was left out, with a stable code and a sentence."""

    org: str
    code: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of some organisations; `gross` is the sum of the new invoices in CHF.

    `by_series` has the numbers by issuing entity and series, ascending.
    """

    numbers: list[str] = field(default_factory=list)
    by_series: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    gross: Decimal = Decimal("0.00")
    invoiced_before: int = 0
    nothing_to_bill: list[str] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count another outcome into this one."""
        self.numbers += other.numbers
        for series, numbers in other.by_series.items():
            _add_numbers(self.by_series.setdefault(series, []), numbers)
        self.gross += other.gross
        self.invoiced_before += other.invoiced_before
        self.nothing_to_bill += other.nothing_to_bill
        self.carried += other.carried
        self.parked += other.parked

    @property
    def empty(self) -> int:
        """How many organisations have nothing to bill."""
        return len(self.nothing_to_bill)

    def not_invoiced(self) -> list[Decided]:
        """What became of those that got no bill."""
        empty = [Decided(org, Stage.EMPTY) for org in self.nothing_to_bill]
        carried = [Decided(org, Stage.CARRIED) for org in self.carried]
        return [*empty, *carried, *(Decided(one.org, Stage.PARKED, one.code, one.reason) for one in self.parked)]


def _add_numbers(given: list[str], others: list[str]) -> None:
    """Put numbers of one series among the others of it; those of a batch follow each other without any between."""
    is_before = given and others and _place(others[0]) < _place(given[-1])
    given.extend(others)
    if is_before:
        given.sort(key=_place)


def _place(number: str) -> tuple[int, str]:
    """Where a number stands in its series: a million is longer than what comes before it."""
    return len(number), number


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
    organisations in the meantime, they are drafted again.
    """
    rely_on_prices(connection)
    known = count_documents(connection, orgs)
    drafted = _draft(connection, month, orgs, wish)
    faults.point("run.after_drafts")
    if drafted.outcome.invoiced_before == len(orgs):
        return drafted.outcome
    lock_invoicing(connection)
    faults.point("run.after_lock")
    if count_documents(connection, orgs) != known:
        drafted = _draft(connection, month, orgs, wish)
    outcome, invoices = drafted.outcome, drafted.invoices
    record_outcomes(connection, month, outcome.not_invoiced())
    record_compared(connection, drafted.compared)
    if invoices:
        outcome.numbers = save_invoices(connection, invoices)
        for invoice, number in zip(invoices, outcome.numbers, strict=True):
            outcome.by_series.setdefault((invoice.issued_by.issuer, invoice.series), []).append(number)
        outcome.gross = sum((invoice.gross for invoice in invoices), outcome.gross)
    return outcome


@dataclass(slots=True)
class _Drafted:
    """The bills to be of some organisations, and what becomes of the others.

    `compared` says of tenants of which something late was looked at up to where their chains were read, where nothing
    of it is left: it is on a bill, or changes none.
    """

    outcome: Outcome
    invoices: list[Invoice] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)


def _draft(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> _Drafted:
    """Draft those of the organisations that have no bill."""
    bills = load_bills(connection, month, orgs)
    open_orgs = [org for org in orgs if org not in bills or not bills[org].stands]
    drafted = _Drafted(Outcome(invoiced_before=len(orgs) - len(open_orgs)))
    if open_orgs:
        _decide(connection, month, {org: bills.get(org) for org in open_orgs}, wish, drafted)
    return drafted


def _decide(
    connection: Connection, month: Month, before: Mapping[str, Bills | None], wish: Wish, decided: _Drafted
) -> None:
    """Draft organisations, given their bills before, and decide what becomes of each: a bill, nothing, or parking."""
    outcome = decided.outcome
    orgs, bills = list(before), {org: bill for org, bill in before.items() if bill is not None}
    settings = load_settings(connection)
    today = wish.issued_on or settings.today
    means = {} if wish.confirmed else mean_bills(connection, month, orgs)
    billing_month = load_billing_month(connection, month)
    configured = load_organisations(connection, orgs)
    issuers = load_issuing_terms(connection)
    terms = load_terms(connection, orgs)
    facts = load_facts(connection, billing_month, orgs, terms, bills)
    versions = known_prices(connection), known_terms(connection, orgs)
    basis = Basis(settings.zone.key, settings.billing_start, *versions, facts.ends)
    for org, tenants in facts.tenants.items():
        revision = bills[org].revision + 1 if org in bills else 1
        try:
            beside = facts.adjusted.get(org, ()), facts.carried.get(org, ())
            drafted = draft(billing_month, org, tenants, terms.get(org), *beside)
            refuse_unusual(drafted, means.get(org), settings.unusual_factor)
            known = configured.get(org), terms.get(org), issuers
            invoice = issue(drafted, *known, today, revision=revision, basis=basis)
        except Refused as refusal:
            outcome.parked.append(Parked(org, refusal.code, str(refusal)))
            continue
        except Exception as error:  # noqa: BLE001 - one organisation's failure must not keep the others' invoices back
            reason = f"The draft failed: {type(error).__name__}: {one_line(error)}."
            outcome.parked.append(Parked(org, "draft_failed", reason))
            continue
        if invoice is not None and is_carried(invoice, tenants, billing_month.days):
            (outcome.carried if has_own_lines(invoice) else outcome.nothing_to_bill).append(org)
            continue
        decided.compared.update(facts.compared_to(org))
        if invoice is None:
            outcome.nothing_to_bill.append(org)
        else:
            decided.invoices.append(invoice)


def _park(connection: Connection, month: Month, parked: Parked, wish: Wish) -> Outcome:
    outcome = Outcome(parked=[parked])
    with connection.transaction(force_rollback=wish.dry):
        record_outcomes(connection, month, outcome.not_invoiced())
    return outcome
