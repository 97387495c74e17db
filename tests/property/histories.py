"""Random histories of a few tenants of two organisations, their prices and terms, and one question about a month.

Made from a `random.Random`, so that hypothesis and a plain loop over seeds draw the same kind of cases. The instants
crowd where bills go wrong: at local midnights, at the change of the clocks, at each other, a microsecond beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.bill import Books, Question

MONTHS = ("2023-02", "2023-12", "2024-01", "2024-02", "2026-02", "2026-03", "2026-04", "2026-10")
ZONES = ("Europe/Zurich",) * 6 + ("UTC", "America/New_York", "Asia/Kolkata")
PACKAGES = ("search", "search-local", "searching", "threema")
ORGS = ("310001", "310002")
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Case:
    books: Books
    question: Question


def random_case(rng: Random) -> Case:
    month, zone = rng.choice(MONTHS), rng.choice(ZONES)
    clock = _Clock(rng, month, zone)
    lines: list[dict[str, Any]] = []
    for name in rng.sample(("acme", "acme-2", "acmea", "beta"), rng.choice((1, 1, 2, 3))):
        lines += _subscriptions(rng, clock, name, ORGS[0] if rng.random() < 0.85 else ORGS[1])
    if rng.random() < 0.3:
        rng.shuffle(lines)
    lines += [dict(line) for line in rng.sample(lines, min(len(lines), rng.choice((0, 0, 1, 3))))]
    books = Books(
        lines=lines,
        platform=_platform(rng, clock),
        packages={package: _package(rng, clock) for package in PACKAGES if rng.random() < 0.85},
        orgs=[entry for org in ORGS for entry in _org(rng, clock, org)],
    )
    return Case(books, _question(rng, clock, month, zone))


def random_world(rng: Random, month: str, zone: str, orgs: int) -> Books:
    """Many organisations under one list of prices, as a file that an import accepts."""
    clock = _Clock(rng, month, zone)
    ids = [f"{number:03}" for number in rng.sample(range(100, 1000), orgs)]
    lines = [
        line
        for org in ids
        for name in rng.sample(("acme", "acme-2", "acmea", "beta"), rng.choice((1, 2, 3)))
        for line in _subscriptions(rng, clock, f"{name}-{org}", org)
    ]
    usage = [
        line for line in lines if line["kind"] == "usage"
    ]  # in its order: a correction comes after what it corrects
    lines = [line for line in lines if line["kind"] != "usage"]
    rng.shuffle(lines)
    return Books(
        lines=[*lines, *usage, *rng.sample(lines, len(lines) // 10), *rng.sample(usage, len(usage) // 10)],
        platform=_platform(rng, clock),
        packages={package: _package(rng, clock) for package in PACKAGES},
        orgs=[entry for org in ids for entry in _org(rng, clock, org)],
    )


class _Clock:
    """Instants and dates around one month."""

    def __init__(self, rng: Random, month: str, zone: str) -> None:
        self.rng, self.zone = rng, ZoneInfo(zone)
        self.first = date.fromisoformat(month + "-01")
        self.used: list[datetime] = []

    def date(self, before: int = 40, after: int = 40) -> date:
        return self.first + timedelta(days=self.rng.randint(-before, after))

    def instant(self, before: int = 40, after: int = 40) -> datetime:
        rng = self.rng
        midnight = datetime.combine(self.date(before, after), datetime.min.time(), self.zone).astimezone(UTC)
        kind = rng.random()
        if kind < 0.25:
            at = midnight + rng.choice((-1, 0, 0, 1)) * MICROSECOND
        elif kind < 0.35 and self.used:
            at = rng.choice(self.used) + rng.choice((-1, 0, 0, 0, 1)) * MICROSECOND
        elif kind < 0.55:
            at = midnight + timedelta(minutes=30 * rng.randint(0, 47))
        else:
            at = midnight + rng.randrange(86_400 * 10**6) * MICROSECOND
        self.used.append(at)
        return at

    def text(self, at: datetime) -> str:
        """The instant in some spelling: UTC or local."""
        if self.rng.random() < 0.3:
            return at.astimezone(self.zone).isoformat()
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _subscriptions(rng: Random, clock: _Clock, name: str, org: str) -> list[dict[str, Any]]:
    """One name, used by one UID after another."""
    lives = rng.choice((1, 1, 1, 2, 3))
    others = [clock.instant(before=20, after=33) for _ in range(2 * lives - 1)]
    limits = sorted({clock.instant(before=45, after=rng.choice((5, 28))), *others})
    lines: list[dict[str, Any]] = []
    for number, (created_at, deleted_at) in enumerate(zip(limits[::2], limits[1::2], strict=False)):
        last = number == lives - 1  # of the last one the deletion is often not told
        uid = f"{rng.choice('0123456789abcdef')}-{name}-{number}"
        lines.append({"kind": "created", "uid": uid, "tenant": name, "org": org, "at": clock.text(created_at)})
        if not last or rng.random() < 0.3:
            lines.append({"kind": "deleted", "uid": uid, "at": clock.text(deleted_at)})
        lines += _events(rng, clock, uid, created_at)
        lines += _usage(rng, clock, uid)
    return lines


def _events(rng: Random, clock: _Clock, uid: str, created_at: datetime) -> list[dict[str, Any]]:
    lines = []
    start = [created_at] if rng.random() < 0.4 else []
    packages = rng.sample(PACKAGES, rng.choice((1, 1, 2)))
    for at in start + [clock.instant(before=rng.choice((5, 50))) for _ in range(rng.choice((0, 2, 5, 10)))]:
        kind = rng.choice(("enabled", "enabled", "enabled", "disabled", "suspended", "resumed", "resumed"))
        line = {"kind": kind, "uid": uid, "at": clock.text(at)}
        if kind in {"enabled", "disabled"}:
            line["package"] = rng.choice(packages)
        lines.append(line)
    if rng.random() < 0.3:
        lines += _toggles(rng, clock, uid, packages[0])
    return lines


def _toggles(rng: Random, clock: _Clock, uid: str, package: str) -> list[dict[str, Any]]:
    """On and off and on within one day, or within one instant."""
    at = clock.instant(before=2, after=30)
    step = rng.choice((timedelta(0), MICROSECOND, timedelta(hours=3)))
    kinds = rng.choice((("enabled", "disabled"), ("suspended", "resumed")))
    lines = []
    for number in range(rng.randint(2, 6)):
        line = {"kind": kinds[number % 2], "uid": uid, "at": clock.text(at + number * step)}
        lines.append(line | {"package": package} if kinds[0] == "enabled" else line)
    return lines


def _usage(rng: Random, clock: _Clock, uid: str) -> list[dict[str, Any]]:
    lines = []
    for number in range(rng.choice((0, 0, 1, 4))):
        meter = rng.choice(("llm_spend", "threema_messages"))
        spend = rng.choice(("0", "0.005", "0.0049999", "1.234567", "12.5", "0.000000000000000001", "700000000000.01"))
        quantity = spend if meter == "llm_spend" else str(rng.choice((0, 1, 7, 12, 1000)))
        first = {"kind": "usage", "uid": uid, "meter": meter, "quantity": quantity, "id": f"{uid}/{number}"}
        lines.append({**first, "at": clock.text(clock.instant(before=3, after=33))})
        if rng.random() < 0.25 and quantity != "0":
            correction = {**first, "id": f"{uid}/{number}c", "quantity": f"-{quantity}", "corrects": f"{uid}/{number}"}
            lines.append({**correction, "at": clock.text(clock.instant(before=3, after=33))})
    return lines


def _platform(rng: Random, clock: _Clock) -> list[dict[str, Any]]:
    fields = {
        "tenant_setup_fee_chf": ("99.00", "99.00", "0", "120.55"),
        "tenant_monthly_fee_chf": ("49.90", "49.90", "59.90", "31", "0.01", "0"),
        "threema_message_chf": ("0.005", "0.005", "0.01", "0.00001", "0"),
    }
    first = {name: rng.choice(values) for name, values in fields.items() if rng.random() < 0.85}
    entries = [{**_maybe_from(rng, clock, 0.2), **first}] if first else []
    for _ in range(rng.choice((0, 1, 2, 3))):
        name = rng.choice(tuple(fields))
        entries.append({**_maybe_from(rng, clock, 0.95), name: rng.choice(fields[name])})
    rates = [rng.choice(("7.7", "8.1", "8.55")) for _ in range(rng.choice((0, 0, 1, 2)))]
    entries += [{"from": clock.date(), "vat_rate_chli": rate} for rate in rates]
    return entries


def _package(rng: Random, clock: _Clock) -> list[dict[str, Any]]:
    fields: dict[str, Sequence[str | None]] = {
        "daily_price_chf": ("0.10", "0.10", "0.12345", "0", "2.5", None),
        "setup_fee_chf": ("5.00", "0", "12.35", None),
    }
    first = {name: rng.choice(values) for name, values in fields.items() if rng.random() < 0.9}
    entries: list[dict[str, Any]] = [{**_maybe_from(rng, clock, 0.2), **first}] if first else []
    for _ in range(rng.choice((0, 0, 1, 3))):
        name = rng.choice(tuple(fields))
        entries.append({**_maybe_from(rng, clock, 0.95), name: rng.choice(fields[name])})
    return entries


def _org(rng: Random, clock: _Clock, org: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        entry: dict[str, Any] = {"org": org, "name": "Someone", "country": rng.choice(("CH", "CH", "LI", "DE"))}
        if rng.random() < 0.3:
            entry["vat_posture"] = rng.choice(("standard", "export", "reverse_charge", "exempt", None))
        entries.append(entry | _maybe_from(rng, clock, 0.5 if entries else 0.15))
    return entries


def _maybe_from(rng: Random, clock: _Clock, chance: float) -> dict[str, Any]:
    return {"from": clock.date(before=10, after=33)} if rng.random() < chance else {}


def _question(rng: Random, clock: _Clock, month: str, zone: str) -> Question:
    return Question(
        org=ORGS[0],
        month=month,
        zone=zone,
        billing_start=clock.date(before=5, after=33) if rng.random() < 0.2 else None,
        as_of=clock.text(clock.instant(before=2, after=33)) if rng.random() < 0.3 else None,
    )
