"""From the messages that the Threema relay counted on a day to usage records. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pieced_billing.calendar import day_start
from pieced_billing.ledger.events import Meter
from pieced_billing.ledger.lines import USAGE, Line
from pieced_billing.usage.coverage import Life, life_at

SOURCE: Final = "threema-relay"


class RecordedDay(NamedTuple):
    """What is recorded of a name and day: whose it is, the id of the first record, how many there are and their sum."""

    uid: str
    usage_id: str
    records: int
    messages: Decimal


def message_records(
    name: str,
    counts: Mapping[date, int],
    recorded: Mapping[date, RecordedDay],
    lives: Sequence[Life],
    zone: ZoneInfo,
) -> list[Line]:
    """A record for each day of which more or less is counted than is recorded.

    A day belongs to the life that is the last to begin by its end; the records stand at its first instant in that life.
    """
    lines = []
    for day, messages in sorted(counts.items()):
        start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        life = life_at(lives, end - 1)
        known = recorded.get(day) or RecordedDay(life.uid, f"{name}/{day}", 0, Decimal(0))
        difference = messages - known.messages
        if not difference:
            continue
        line = Line(
            USAGE,
            known.uid,
            str(Meter.THREEMA_MESSAGES),
            life.created_at if start <= life.created_at < end else start,
            source=SOURCE,
            quantity=difference,
            usage_id=f"{known.usage_id}/{known.records + 1}" if known.records else known.usage_id,
            corrects=known.usage_id if difference < 0 else None,
        )
        lines.append(line)
    return lines
