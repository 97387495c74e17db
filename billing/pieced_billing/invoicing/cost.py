"""What single tenants cost this month: so far, and by its end if nothing changes any more (rule 16).

Net amounts, without VAT: tax is worked out on the sums of an organisation (rule 15).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final, TypeAlias

from pieced_billing.calendar import Month, MonthDays, from_microseconds, to_microseconds
from pieced_billing.invoicing.draft import Draft, draft
from pieced_billing.invoicing.load import UnknownOrganisation
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.read import histories_of
from pieced_billing.ledger.show import UnknownTenant
from pieced_billing.money import ZERO, amount_text, exact_sum
from pieced_billing.parties.load import load_terms
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings

Charge: TypeAlias = tuple[str, str | None]
"""A kind of charge, and the package where it is for one."""

_AT_ONCE: Final = 500

_UIDS: Final = """
SELECT tenant_uid FROM tenant_billing_lifecycle
WHERE (%(tenant)s::text IS NOT NULL AND %(tenant)s IN (tenant_name, tenant_uid)
       OR %(tenant)s::text IS NULL AND (deleted_at IS NULL OR deleted_at > %(start)s))
    AND (%(org)s::text IS NULL OR zitadel_org_id = %(org)s)
ORDER BY zitadel_org_id COLLATE "C", tenant_name COLLATE "C", tenant_uid COLLATE "C"
"""
_HAS_TENANTS: Final = "SELECT FROM tenant_billing_lifecycle WHERE zitadel_org_id = %(org)s LIMIT 1"


@dataclass(frozen=True, slots=True)
class TenantCost:
    """What one tenant UID costs in a month, in CHF without VAT.

    `charges` has by kind and package what is due to date and what is forecast, in the order of a bill.
    """

    uid: str
    tenant: str
    org: str
    month: Month
    charges: Mapping[Charge, tuple[Decimal, Decimal]]

    @property
    def to_date(self) -> Decimal:
        """What is due by now: what happened, and days that have begun."""
        return exact_sum(to_date for to_date, _ in self.charges.values())

    @property
    def forecast(self) -> Decimal:
        """What will be due at the end of the month."""
        return exact_sum(forecast for _, forecast in self.charges.values())

    def document(self) -> dict[str, object]:
        """The same as JSON values; every amount is text with two decimals."""
        return {
            "tenant": self.tenant,
            "uid": self.uid,
            "org": self.org,
            "period": str(self.month),
            "currency": "CHF",
            "to_date": amount_text(self.to_date),
            "forecast": amount_text(self.forecast),
            "charges": [
                {
                    "kind": kind,
                    "package": package,
                    "to_date": amount_text(to_date),
                    "forecast": amount_text(forecast),
                }
                for (kind, package), (to_date, forecast) in self.charges.items()
            ],
        }


def tenant_costs(connection: Connection, uids: Iterable[str]) -> Iterator[TenantCost]:
    """The cost of this month of each tenant that has to do with it, some hundred at a time, each time as of now."""
    remaining = iter(uids)
    while chunk := list(islice(remaining, _AT_ONCE)):
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            costs = list(_costs(connection, chunk))
        yield from sorted(costs, key=lambda cost: (cost.org, cost.tenant, cost.uid))


def costs_of(connection: Connection, tenant: str | None, org: str | None) -> Iterator[TenantCost]:
    """The costs of every tenant that lives this month, or of those with this name or UID, or of this organisation.

    By organisation, name and UID. Raises UnknownTenant and UnknownOrganisation.
    """
    settings = load_settings(connection)
    parameters = {
        "tenant": tenant,
        "org": org,
        "start": from_microseconds(MonthDays(Month.of(settings.today), settings.zone).start),
    }
    uids = [uid for (uid,) in connection.execute(_UIDS, parameters)]
    if not uids and tenant is not None:
        raise UnknownTenant(tenant)
    if not uids and org is not None and connection.execute(_HAS_TENANTS, parameters).fetchone() is None:
        raise UnknownOrganisation(org)
    connection.rollback()
    return tenant_costs(connection, uids)


def _costs(connection: Connection, uids: Sequence[str]) -> Iterator[TenantCost]:
    settings = load_settings(connection)
    whole = load_billing_month(connection, Month.of(settings.today))
    so_far = BillingMonth(whole.days, whole.prices, settings.billing_start, to_microseconds(settings.now))
    tenants: defaultdict[str, list[TenantHistory]] = defaultdict(list)
    for org, history in histories_of(connection, whole.days, whole.until, uids):
        tenants[org].append(history)
    terms = load_terms(connection, sorted(tenants))
    for org, of_org in tenants.items():
        to_date = _by_charge(draft(so_far, org, of_org, terms.get(org)))
        forecast = _by_charge(draft(whole, org, of_org, terms.get(org)))
        for history in of_org:
            due, foreseen = to_date[history.uid], forecast[history.uid]
            charges = {charge: (due[charge], foreseen[charge]) for charge in {**foreseen, **due}}
            yield TenantCost(history.uid, history.tenant, org, whole.days.month, charges)


def _by_charge(draft: Draft) -> Mapping[str, Mapping[Charge, Decimal]]:
    """The sums of a draft's lines by UID and charge; ZERO for what is not there."""
    sums: defaultdict[str, defaultdict[Charge, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for line in draft.lines:
        sums[line.uid][line.kind, line.package] += line.amount
    return sums
