"""The bills to be of a batch of organisations: drafted from the database, and what becomes of each decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.bills import Bills, load_bills
from pieced_billing.invoicing.carried import has_own_lines, is_carried
from pieced_billing.invoicing.document import Invoice
from pieced_billing.invoicing.draft import draft
from pieced_billing.invoicing.facts import load_facts
from pieced_billing.invoicing.issue import issue
from pieced_billing.invoicing.known_versions import known_issuers, known_prices, known_terms
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.invoicing.outcome import Outcome, Parked
from pieced_billing.invoicing.proof import Basis
from pieced_billing.invoicing.usual import mean_bills, refuse_unusual
from pieced_billing.invoicing.wish import Wish
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.load import load_organisations, load_terms
from pieced_billing.store.connections import Connection, one_line
from pieced_billing.store.settings import load_settings


@dataclass(slots=True)
class Drafted:
    """The bills to be of some organisations, and what becomes of the others.

    `compared` says of tenants of which something late was looked at up to where their chains were read, where nothing
    of it is left: it is on a bill, or changes none.
    """

    outcome: Outcome
    invoices: list[Invoice] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)


def draft_batch(connection: Connection, month: Month, orgs: Sequence[str], wish: Wish) -> Drafted:
    """Draft those of the organisations that have no bill."""
    bills = load_bills(connection, month, orgs)
    open_orgs = [org for org in orgs if org not in bills or not bills[org].stands]
    drafted = Drafted(Outcome(invoiced_before=len(orgs) - len(open_orgs)))
    if open_orgs:
        _decide(connection, month, {org: bills.get(org) for org in open_orgs}, wish, drafted)
    return drafted


def _decide(
    connection: Connection, month: Month, before: Mapping[str, Bills | None], wish: Wish, decided: Drafted
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
    versions = known_prices(connection), known_issuers(connection), known_terms(connection, orgs)
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
            (outcome.carried if has_own_lines(invoice) else outcome.held).append(org)
            continue
        decided.compared.update(facts.compared_to(org))
        if invoice is None:
            outcome.nothing_to_bill.append(org)
        else:
            decided.invoices.append(invoice)
