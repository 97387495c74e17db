"""What the drafts of a month depend on, read from the database and drafted organisation by organisation."""

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from pieced_billing.calendar import Month
from pieced_billing.errors import Refused
from pieced_billing.invoicing.adjust import load_adjustments
from pieced_billing.invoicing.bills import load_bills
from pieced_billing.invoicing.carried import load_carried
from pieced_billing.invoicing.draft import Draft, draft
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.read import histories
from pieced_billing.parties.load import load_terms
from pieced_billing.store.connections import Connection

_CHUNK: Final = 2000
"""So many organisations have their terms read together."""


class UnknownOrganisation(Refused):
    """Nothing is known of an organisation with this id."""

    code = "unknown_organisation"

    def __init__(self, org: str) -> None:
        super().__init__(f"Organisation {org!r} has no tenant in the ledger and no configuration.")


def drafts(
    connection: Connection, month: Month, orgs: Sequence[str] | None = None, as_of: datetime | None = None
) -> Generator[Draft]:
    """The drafts of these organisations, or of every one with a tenant in the ledger, ascending by code point.

    One snapshot of the database, read as the drafts are taken: memory stays bounded however many there are. An
    organisation with a configuration alone has an empty draft; raises UnknownOrganisation for one without either.
    The connection is in a transaction until the last draft is taken or the generator is closed.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield from drafts_of_one_moment(connection, month, orgs, as_of)


def drafts_of_one_moment(
    connection: Connection, month: Month, orgs: Sequence[str] | None = None, as_of: datetime | None = None
) -> Iterator[Draft]:
    """The same in a repeatable read transaction of the caller's."""
    billing_month = load_billing_month(connection, month, as_of)
    found = histories(connection, billing_month.days, billing_month.until, orgs)
    missing = set(orgs or ())
    while chunk := list(islice(found, _CHUNK)):
        chosen = [org for org, _ in chunk]
        terms = load_terms(connection, chosen)
        bills = load_bills(connection, month, chosen)
        carried = load_carried(connection, month, chosen, terms)
        adjusted = load_adjustments(connection, month, chosen, terms, bills, carried).adjustments
        for org, tenants in chunk:
            missing.discard(org)
            yield draft(billing_month, org, tenants, terms.get(org), adjusted.get(org, ()), carried.get(org, ()))
    if missing:
        yield from _without_tenants(connection, billing_month, sorted(missing))


def _without_tenants(connection: Connection, month: BillingMonth, orgs: Sequence[str]) -> Iterator[Draft]:
    terms = load_terms(connection, orgs)
    for org in orgs:
        if org not in terms:
            raise UnknownOrganisation(org)
        yield draft(month, org, (), terms[org])
