"""The bill of one organisation and month, as the document of the interchange format (a warning has code and tenant)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle.days import MICROSECOND, Life, Line, day_begins, each_day, instant, local_day
from tests.oracle.prices import Entry, posture, price, vat_rate

KINDS = ["tenant_setup_fee", "tenant_monthly_fee", "package_setup_fee", "package_days", "llm_spend", "threema_messages"]
CODES = ["package_without_price", "no_monthly_price", "org_without_configuration", "usage_outside_life"]


@dataclass(frozen=True)
class Books:
    """All that was told: the lines of the ledger, and the entries of the price and organisation files in order."""

    lines: Sequence[Line] = ()
    platform: Sequence[Entry] = ()
    packages: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    orgs: Sequence[Entry] = ()


@dataclass(frozen=True)
class Question:
    """Which bill: of an organisation, for a month, from a first billed day on, with the clock stopped or not."""

    org: str
    month: str
    zone: str = "Europe/Zurich"
    billing_start: date | None = None
    as_of: str | None = None


def bill(books: Books, question: Question) -> dict[str, Any]:
    return _Bill(books, question).document()


def rounded(value: Fraction) -> Fraction:
    """To 0.01, half away from zero."""
    hundredths = int(abs(value) * 100 + Fraction(1, 2))
    return Fraction(hundredths if value > 0 else -hundredths, 100)


def text(value: Fraction, places: int = 0) -> str:
    """A finite decimal, exact, with at least so many decimals and no further zeros."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    whole, decimals = divmod(int(abs(value) * 10**digits), 10**digits)
    shown = (str(decimals).rjust(digits, "0") if digits else "").ljust(places, "0")
    return ("-" if value < 0 else "") + str(whole) + ("." + shown if shown else "")


class _Bill:
    def __init__(self, books: Books, question: Question) -> None:
        self.books, self.q = books, question
        first = date.fromisoformat(question.month + "-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        self.days = list(each_day(first, last))
        self.stop = day_begins(last + timedelta(days=1), question.zone)
        if question.as_of is not None:
            self.stop = min(self.stop, instant(question.as_of) + MICROSECOND)
        self.billed = {day for day in self.days if question.billing_start is None or day >= question.billing_start}
        uids = {line["uid"] for line in books.lines if line["kind"] == "created" and line["org"] == question.org}
        self.lives = [Life(uid, books.lines, self.stop, question.zone) for uid in uids]
        self._rates = {day: vat_rate(books.platform, books.orgs, question.org, day) for day in self.days}
        self.lines: list[dict[str, Any]] = []
        self.warned: set[tuple[str, str | None]] = set()

    def document(self) -> dict[str, Any]:
        for life in self.lives:
            self._fees(life)
            self._packages(life)
            self._usage(life)
        if not any(entry["org"] == self.q.org for entry in self.books.orgs):
            self.warned.add(("org_without_configuration", None))
        lines = sorted(self.lines, key=self._order)
        nets = {line["vat_rate"]: Fraction(0) for line in lines}
        for line in lines:
            nets[line["vat_rate"]] += line["amount"]
        vat = [(rate, nets[rate], rounded(nets[rate] * rate / 100)) for rate in sorted(nets)]
        net = sum(nets.values(), Fraction(0))
        return {
            "org": self.q.org,
            "period": self.q.month,
            "currency": "CHF",
            "vat_posture": posture(self.books.orgs, self.q.org, self.days[-1]),
            "lines": [self._written(line) for line in lines],
            "net": text(net, 2),
            "vat": [{"rate": text(rate), "net": text(base, 2), "amount": text(tax, 2)} for rate, base, tax in vat],
            "gross": text(net + sum(tax for _, _, tax in vat), 2),
            "warnings": [
                {"code": code, "tenant": tenant}
                for code, tenant in sorted(self.warned, key=lambda w: (CODES.index(w[0]), w[1] or ""))
            ],
        }

    def _fees(self, life: Life) -> None:
        platform = self.books.platform
        setup_day = life.first_day(self.days[-1])
        self._once(life, "tenant_setup_fee", None, setup_day, lambda day: price(platform, "tenant_setup_fee_chf", day))
        active = {day for day in self.billed if life.counts(day)}
        self._runs(
            life,
            ("tenant_monthly_fee", None, "day"),
            lambda day: price(platform, "tenant_monthly_fee_chf", day),
            {day: Fraction(1) for day in active},
            divisor=len(self.days),
        )
        if any(price(platform, "tenant_monthly_fee_chf", day) is None for day in active):
            self.warned.add(("no_monthly_price", life.tenant))

    def _packages(self, life: Life) -> None:
        for package in life.packages():
            entries = self.books.packages.get(package, ())

            def daily(day: date, entries: Sequence[Entry] = entries) -> Fraction | None:
                return price(entries, "daily_price_chf", day)

            def setup(day: date, entries: Sequence[Entry] = entries) -> Fraction | None:
                free = price(entries, "daily_price_chf", day) is None
                return None if free else price(entries, "setup_fee_chf", day)

            self._once(life, "package_setup_fee", package, life.first_day(self.days[-1], package), setup)
            billable = {day for day in self.billed if life.counts(day, package)}
            self._runs(life, ("package_days", package, "day"), daily, {day: Fraction(1) for day in billable})
            if any(daily(day) is None for day in billable):
                self.warned.add(("package_without_price", life.tenant))

    def _usage(self, life: Life) -> None:
        used: dict[str, dict[date, Fraction]] = {"llm_spend": {}, "threema_messages": {}}
        told: dict[tuple[str, str], Line] = {}
        for line in self.books.lines:
            if line["kind"] == "usage" and line["uid"] == life.uid:
                told.setdefault((line.get("source", "import"), line["id"]), line)
        for line in told.values():
            at, quantity = instant(line["at"]), Fraction(line["quantity"])
            day = local_day(at, self.q.zone)
            if day not in self.billed or at >= self.stop or quantity == 0:
                continue
            by_day = used[line["meter"]]
            by_day[day] = by_day.get(day, Fraction(0)) + quantity
            if not self._existed(life, at):
                self.warned.add(("usage_outside_life", life.tenant))
        self._runs(life, ("llm_spend", None, "CHF"), lambda _: Fraction(1), used["llm_spend"])
        message_price = self.books.platform
        self._runs(
            life,
            ("threema_messages", None, "message"),
            lambda day: price(message_price, "threema_message_chf", day),
            used["threema_messages"],
        )

    def _existed(self, life: Life, at: datetime) -> bool:
        return life.created_at <= at and (life.deleted_at is None or at < life.deleted_at)

    def _once(
        self, life: Life, kind: str, package: str | None, day: date | None, price_on: Callable[[date], Fraction | None]
    ) -> None:
        if day is not None and day in self.billed:
            self._runs(life, (kind, package, "once"), price_on, {day: Fraction(1)})

    def _runs(
        self,
        life: Life,
        what: tuple[str, str | None, str],
        price_on: Callable[[date], Fraction | None],
        counted: Mapping[date, Fraction],
        divisor: int = 1,
    ) -> None:
        """One line for each stretch of the month's days of one price and rate in which something counts."""
        costs = {day: (price_on(day), self._rates[day]) for day in self.days}
        stretch: list[date] = []
        for day in [*self.days, None]:
            if stretch and (day is None or costs[day] != costs[stretch[0]]):
                self._line(life, what, costs[stretch[0]], [d for d in stretch if d in counted], counted, divisor)
                stretch = []
            if day is not None:
                stretch.append(day)

    def _line(
        self,
        life: Life,
        what: tuple[str, str | None, str],
        cost: tuple[Fraction | None, Fraction],
        days: Sequence[date],
        counted: Mapping[date, Fraction],
        divisor: int,
    ) -> None:
        unit_price, rate = cost
        if not days or unit_price is None:
            return
        quantity = sum((counted[day] for day in days), Fraction(0))
        amount = rounded(unit_price * quantity / divisor)
        if amount == 0:
            return
        kind, package, unit = what
        self.lines.append(
            {
                "tenant": life.tenant,
                "uid": life.uid,
                "kind": kind,
                "package": package,
                "service_from": days[0],
                "service_to": days[-1],
                "quantity": quantity,
                "unit": unit,
                "unit_price": unit_price,
                "vat_rate": rate,
                "amount": amount,
            }
        )

    def _order(self, line: Mapping[str, Any]) -> tuple[str, str, int, str, date]:
        return (
            line["tenant"],
            line["uid"],
            KINDS.index(line["kind"]),
            line["package"] or "",
            line["service_from"],
        )

    def _written(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **line,
            "service_from": str(line["service_from"]),
            "service_to": str(line["service_to"]),
            "quantity": text(line["quantity"]),
            "unit_price": text(line["unit_price"], 2),
            "vat_rate": text(line["vat_rate"]),
            "amount": text(line["amount"], 2),
        }
