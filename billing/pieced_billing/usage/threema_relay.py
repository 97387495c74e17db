"""The Threema relay as a source of usage: messages per tenant and local day, as it counts them (`/admin/usage`).

A day is read once it is over. What the relay counts later for a day that is recorded becomes a record of the
difference, negative where it counted too much: records are never changed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pieced_billing.calendar import day_start, from_microseconds, local_date
from pieced_billing.errors import Unavailable
from pieced_billing.store.connections import Connection
from pieced_billing.usage.coverage import Life, Stretch
from pieced_billing.usage.json_api import JsonApi
from pieced_billing.usage.message_days import SOURCE, RecordedDay, message_records
from pieced_billing.usage.source import Reading, Tenant, Warned

_USAGE: Final = "/admin/usage"
_DAY: Final = timedelta(days=1)

_RECORDED: Final = """
SELECT (occurred_at AT TIME ZONE %(zone)s)::date, (array_agg(tenant_uid ORDER BY link))[1],
       (array_agg(usage_id ORDER BY link))[1], count(*), sum(quantity)
FROM usage_records
WHERE source = %(source)s AND tenant_uid = ANY(%(uids)s) AND occurred_at >= %(start)s AND occurred_at < %(end)s
GROUP BY 1
"""

RecordedDays = Callable[[Sequence[Life], Stretch], Mapping[date, RecordedDay]]


class ThreemaMessages:
    """Messages that the relay carried; `recorded` gives what is recorded of a stretch."""

    name = SOURCE

    def __init__(self, api: JsonApi, zone: ZoneInfo, recorded: RecordedDays) -> None:
        self._api = api
        self._zone = zone
        self._recorded = recorded

    def begin(self) -> None:
        """Nothing is asked of many tenants."""

    def known_as(self, tenant: Tenant) -> str:
        """The tenant's name."""
        return tenant.tenant

    def warned(self, tenant: Tenant) -> Warned | None:  # noqa: ARG002 - not every tenant has Threema
        """Nothing: a tenant that the relay does not know has no messages."""
        return None

    def unclaimed(self, names: Collection[str]) -> list[str]:  # noqa: ARG002 - the relay lists no tenants
        """Nothing is known of others."""
        return []

    def read(self, name: str, lives: Sequence[Life], stretch: Stretch) -> Reading:
        """The messages of the days that begin before the stretch or in it and are over by its end."""
        first = local_date(from_microseconds(stretch.start), self._zone)
        after = local_date(from_microseconds(stretch.end), self._zone)
        if first >= after:
            return Reading([], stretch.start)
        days = Stretch(day_start(first, self._zone), day_start(after, self._zone))
        counts = self._counts(name, first, after - _DAY)
        return Reading(message_records(name, counts, self._recorded(lives, days), lives, self._zone), days.end)

    def _counts(self, name: str, first: date, last: date) -> Mapping[date, int]:
        query: dict[str, str | int] = {"tenant": name, "from": first.isoformat(), "to": last.isoformat()}
        document = self._api.get(_USAGE, query, absent_is_none=True)
        if document is None:
            return {}
        zone, days = (document.get(field) if isinstance(document, dict) else None for field in ("zone", "days"))
        if zone != self._zone.key or not isinstance(days, list):
            raise Unavailable(f"The Threema relay answers {_USAGE} without days of {self._zone.key}.")
        counts = dict(map(_count, days))
        if len(counts) < len(days) or not all(first <= day <= last for day in counts):
            raise Unavailable(f"The Threema relay answers {_USAGE} with a day twice, or one that was not asked for.")
        return counts


def recorded_days(
    connection: Connection, zone: ZoneInfo, lives: Sequence[Life], days: Stretch
) -> dict[date, RecordedDay]:
    """What is recorded of these lives, by local day."""
    parameters = {
        "source": SOURCE,
        "zone": zone.key,
        "uids": [life.uid for life in lives],
        "start": from_microseconds(days.start),
        "end": from_microseconds(days.end),
    }
    with connection.transaction():
        return {row[0]: RecordedDay(*row[1:]) for row in connection.execute(_RECORDED, parameters)}


def _count(entry: Any) -> tuple[date, int]:
    """One day and its messages."""
    try:
        day, messages = date.fromisoformat(entry["day"]), entry["messages"]
    except (KeyError, TypeError, ValueError):
        raise Unavailable(f"The Threema relay answers {_USAGE} with a day that is none.") from None
    if type(messages) is not int or messages < 0:
        raise Unavailable(f"The Threema relay says that {day} had {messages!r} messages.")
    return day, messages
