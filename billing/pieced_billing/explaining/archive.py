"""What was known when invoices were issued: read once for all lines that share it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, MonthDays
from pieced_billing.explaining.evidence import Evidence
from pieced_billing.explaining.facts import Cut
from pieced_billing.explaining.issued import Issued
from pieced_billing.explaining.issued_load import load_issued
from pieced_billing.explaining.load import load_known, load_price_records
from pieced_billing.explaining.prices import PriceRecords, price_book
from pieced_billing.invoicing.month import BillingMonth
from pieced_billing.ledger.show import Life, UnknownTenant, lives
from pieced_billing.parties.terms import UNCONFIGURED, PartyTerms
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from pieced_billing.verification.documents import Then
from pieced_billing.verification.versions_then import PricesThen, TermsThen, load_terms_then


class Archive:
    """Invoices and what they knew, in the caller's snapshot. Of facts it keeps those that it was asked for last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings = load_settings(connection)
        self._issued: dict[str, Issued] = {}
        self._months: dict[tuple[str, Month], tuple[BillingMonth, PriceRecords, PartyTerms]] = {}
        self._last: tuple[object, Evidence] | None = None

    @property
    def zone(self) -> str:
        """The billing zone."""
        return self._settings.zone.key

    def issued(self, number: str) -> Issued:
        """The invoice or credit note with this number. Raises UnknownInvoice."""
        if number not in self._issued:
            self._issued[number] = load_issued(self._connection, number)
        return self._issued[number]

    def evidence(
        self, issued: Issued, uid: str, month: Month, read_to: int | None, before: Cut | None = None
    ) -> Evidence:
        """What was known of a UID and month when a document was issued that had read so far. Raises UnknownTenant."""
        key = (issued.number, uid, month, read_to, before)
        if self._last is None or self._last[0] != key:
            billing_month, prices, terms = self._month(issued, month)
            days, until = billing_month.days, billing_month.until
            known = load_known(self._connection, self._life(uid), days, until, issued.cut(read_to), before)
            self._last = key, Evidence(billing_month, known, prices, terms)
        return self._last[1]

    def _month(self, issued: Issued, month: Month) -> tuple[BillingMonth, PriceRecords, PartyTerms]:
        """A month with the prices and terms that a bill knew."""
        key = issued.number, month
        if key not in self._months:
            versions = load_terms_then(self._connection, {issued.org: []})[issued.org]
            then = issued.then or self._until(issued.finalised_at, versions)
            prices = load_price_records(self._connection, then.prices)
            days = MonthDays(month, ZoneInfo(then.zone))
            billing_month = BillingMonth(days, price_book(prices), then.billing_start)
            self._months[key] = billing_month, prices, versions.terms(then.terms) or UNCONFIGURED
        return self._months[key]

    def _until(self, at: datetime, terms: TermsThen) -> Then:
        """What was recorded until an instant, for a bill that does not say what it knew."""
        prices = PricesThen(self._connection).last_at(at)
        return Then(self.zone, self._settings.billing_start, prices, terms.last_at(at), {})

    def _life(self, uid: str) -> Life:
        for life in lives(self._connection, uid):
            if life.row.uid == uid:
                return life
        raise UnknownTenant(uid)
