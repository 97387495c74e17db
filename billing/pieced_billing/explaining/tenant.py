"""Why a tenant costs what it costs in a month: what is counted, and what each line of its draft comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pieced_billing.calendar import Month, MonthDays, to_microseconds
from pieced_billing.explaining.days import dates
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.line import Explained, explain_line
from pieced_billing.explaining.load import load_known, load_price_records
from pieced_billing.explaining.stretches import touched
from pieced_billing.invoicing.draft import Draft, draft
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.ledger.history import TenantHistory
from pieced_billing.ledger.read import histories_of
from pieced_billing.ledger.show import Life, lives
from pieced_billing.parties.load import load_terms
from pieced_billing.parties.terms import UNCONFIGURED
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings


@dataclass(frozen=True, slots=True)
class TenantExplanation:
    """One tenant UID in one month, up to `as_of` where the month is not over. Days are those that count."""

    life: Life
    draft: Draft
    days: MonthDays
    as_of: datetime | None
    active: tuple[date, ...]
    billable: Mapping[str, tuple[date, ...]]
    lines: tuple[Explained, ...]


def explain_tenant(connection: Connection, tenant: str, month: Month | None) -> list[TenantExplanation]:
    """The explanation of each UID that this name or UID means and that has to do with the month.

    Without a month the present one. A month that is not over is explained as far as it has gone (rule 16). Raises
    UnknownTenant. The connection must not be in a transaction.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        settings = load_settings(connection)
        month = month or Month.of(settings.today)
        days = MonthDays(month, settings.zone)
        as_of = None if to_microseconds(settings.now) >= days.end else settings.now
        by_uid = {life.row.uid: life for life in lives(connection, tenant)}
        found = {history.uid: history for _, history in histories_of(connection, days, days.end, list(by_uid))}
        return [
            _explanation(connection, life, found[uid], month, as_of) for uid, life in by_uid.items() if uid in found
        ]


def _explanation(
    connection: Connection, life: Life, history: TenantHistory, month: Month, as_of: datetime | None
) -> TenantExplanation:
    org = life.row.org
    billing_month = load_billing_month(connection, month, as_of)
    days = billing_month.days
    terms = load_terms(connection, [org]).get(org)
    drafted = draft(billing_month, org, [history], terms)
    known = load_known(connection, life, days, billing_month.until)
    evidence = Evidence(billing_month, known, load_price_records(connection), terms or UNCONFIGURED)
    found, billed = evidence.found, billing_month.billed
    return TenantExplanation(
        life,
        drafted,
        days,
        as_of,
        active=dates(days, touched(found.active, days) & billed),
        billable={package: dates(days, touched(of, days) & billed) for package, of in sorted(found.billable.items())},
        lines=tuple(explain_line(line, evidence) for line in drafted.lines),
    )
