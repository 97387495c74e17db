"""Write the history of three months for `pieced ledger import`: make_history.py MONTH, the month after them.

The tenants belong to the organisations of orgs.yaml and lived on another cluster than the sample tenants. The same
month gives the same lines, so importing them twice adds nothing.
"""

import json
import random
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Zurich")
NAMESPACE = uuid.UUID("6ea1c47e-93f5-4b42-9d6c-3b8a6f0d9a10")
MONTHS = 3

Line = dict[str, str]


def main(arguments: list[str]) -> int:
    """Print the history before the month that is named; 2 when none is."""
    try:
        [text] = arguments
        month = datetime.strptime(text, "%Y-%m").replace(tzinfo=ZONE).date()
    except ValueError:
        print("usage: make_history.py MONTH, such as 2026-11", file=sys.stderr)
        return 2
    for line in history(month):
        print(json.dumps(line))
    return 0


def history(month: date) -> Iterator[Line]:
    """The ledger lines of the three months before `month`."""
    first, second, third = (_months_before(month, count) for count in (3, 2, 1))
    cluster = f"before-{month:%Y-%m}"

    support = _Tenant("acme-support", "310001", cluster)
    yield support.was("created", _at(first, 4, "09:12"))
    yield support.was("enabled", _at(first, 4, "09:12"), package="threema")
    yield support.was("enabled", _at(first, 15, "14:03:27.250000"), package="searxng-local-search")
    yield support.was("disabled", _at(second, 9, "17:30"), package="searxng-local-search")
    yield from support.used(first + timedelta(days=4), month)

    workshop = _Tenant("acme-workshop", "310001", cluster)
    yield workshop.was("created", _at(second, 1, "00:00"))
    yield workshop.was("enabled", _at(second, 2, "08:00"), package="searxng-local-search")
    yield workshop.was("suspended", _at(second, 20, "00:00"))  # at midnight: the 20th is not billed
    yield workshop.was("resumed", _at(third, 3, "10:45"))
    yield workshop.was("deleted", _at(third, 18, "16:20"))

    station = _Tenant("valley-station", "310002", cluster)
    yield station.was("created", _at(first, 1, "07:30"))
    for day in (5, 6, 7):  # switched on and off within one day, three days in a row
        yield station.was("enabled", _at(second, day, "08:00"), package="telegram")
        yield station.was("disabled", _at(second, day, "08:20"), package="telegram")
    yield station.was("enabled", _at(third, 1, "06:00"), package="discord")
    yield from station.used(first + timedelta(days=1), month)


@dataclass(frozen=True)
class _Tenant:
    name: str
    org: str
    cluster: str

    @property
    def uid(self) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self.cluster}/{self.name}"))

    def was(self, kind: str, at: datetime, **more: str) -> Line:
        """One event of its life."""
        line = {"kind": kind, "uid": self.uid, "at": at.isoformat(), **more}
        if kind == "created":
            line |= {"tenant": self.name, "org": self.org, "cluster": self.cluster}
        return line

    def used(self, start_on: date, end_on: date) -> Iterator[Line]:
        """What it used on every seventh day: language model spend in CHF, and Threema messages."""
        amounts = random.Random(self.uid)
        day = start_on
        while day < end_on:
            at = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)
            for meter, quantity in [
                ("llm_spend", f"{amounts.randrange(200_000, 9_000_000) / 1_000_000:.6f}"),
                ("threema_messages", str(amounts.randrange(3, 120))),
            ]:
                identity = f"{self.cluster}/{self.name}/{meter}/{day}"
                yield self.was("usage", at, meter=meter, quantity=quantity, id=identity)
            day += timedelta(days=7)


def _at(month: date, day: int, time: str) -> datetime:
    clock = datetime.fromisoformat(f"{month.replace(day=day)}T{time}")
    return clock.replace(tzinfo=ZONE)


def _months_before(month: date, count: int) -> date:
    for _ in range(count):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
