"""What explanations are made from, read from the database: facts as they were known, prices and terms as they were."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pieced_billing.calendar import Microseconds, MonthDays, from_microseconds
from pieced_billing.explaining.facts import Cut, Facts, Known, UsageRecord, UsedOn, by_cut
from pieced_billing.explaining.line import LARGEST
from pieced_billing.explaining.prices import PriceRecord, PriceRecords
from pieced_billing.ledger.show import Life
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.store.connections import Connection

# What has a place in the chain was known where that had been read; anything else when the bill was made.
_KNOWN: Final = """
coalesce(CASE WHEN link IS NULL OR %({cut}_read_to)s::bigint IS NULL THEN recorded_at <= %({cut}_at)s::timestamptz
              ELSE link <= %({cut}_read_to)s END, true)
"""
_RECORDS: Final = f"""
WITH records AS (
    SELECT meter, width_bucket(occurred_at, %(days)s) - 1 AS day, source, usage_id, quantity, occurred_at,
           {_KNOWN.format(cut="cut")} AS known, {_KNOWN.format(cut="before")} AS before
    FROM usage_records
    WHERE tenant_uid = %(uid)s AND occurred_at >= %(start)s AND occurred_at < %(end)s AND quantity <> 0
)
"""  # noqa: S608 - our own text
_USAGE: Final = f"""{_RECORDS}
SELECT known, before, meter, day, source, count(*), sum(quantity), sum(greatest(quantity, 0)), sum(least(quantity, 0))
FROM records GROUP BY known, before, meter, day, source ORDER BY meter, day, source COLLATE "C", before DESC
"""  # noqa: S608 - our own text
_LARGEST: Final = f"""{_RECORDS}
SELECT meter, day, source, usage_id, quantity, occurred_at FROM (
    SELECT *, row_number() OVER (
        PARTITION BY meter, day ORDER BY abs(quantity) DESC, occurred_at, source, usage_id) AS place
    FROM records WHERE known) AS placed
WHERE place <= %(largest)s
"""  # noqa: S608 - our own text
_PRICES: Final = """
SELECT field, package, value, valid_from, recorded_at, recorded_by FROM price_versions
WHERE %(last)s::bigint IS NULL OR id <= %(last)s ORDER BY id
"""


def load_known(
    connection: Connection,
    life: Life,
    days: MonthDays,
    until: Microseconds,
    cut: Cut | None = None,
    before: Cut | None = None,
) -> Known:
    """What was known of a UID, and of its usage of a month up to `until`, at a cut (None: now).

    `before` is the cut of the bill before, if one is to be compared with.
    """
    start, end = from_microseconds(days.start), from_microseconds(until)
    parameters = {
        "uid": life.row.uid,
        "days": [from_microseconds(bound) for bound in days.bounds],
        "start": start,
        "end": end,
        "largest": LARGEST,
        **_bounds("cut", cut),
        **_bounds("before", before),
    }
    usage: dict[str, list[UsedOn]] = {"known": [], "arrived": [], "later": []}
    for known, known_before, meter, day, *rest in connection.execute(_USAGE, parameters).fetchall():
        used = UsedOn(meter, days.dates[day], *rest)
        usage["known" if known else "later"].append(used)
        if known and not known_before:
            usage["arrived"].append(used)
    largest = (
        UsageRecord(meter, days.dates[day], *rest)
        for meter, day, *rest in connection.execute(_LARGEST, parameters).fetchall()
    )
    seams = [one for one in life.seams if one.seam.not_before < end and one.seam.not_after >= start]
    by_time = by_cut(life.events, cut, before), map(tuple, usage.values()), by_cut(seams, cut, before)
    known_facts, arrived, later = map(Facts, *by_time)
    return Known(life, known_facts, tuple(largest), arrived, later)


def load_price_records(connection: Connection, last: int | None = None) -> PriceRecords:
    """Every price version, or those up to the one with this id."""
    found: dict[tuple[str, str | None], list[Version[PriceRecord]]] = {}
    rows: Iterable[tuple[Any, ...]] = connection.execute(_PRICES, {"last": last})
    for field, package, value, valid_from, recorded_at, recorded_by in rows:
        record = PriceRecord(value, valid_from, recorded_at, recorded_by)
        found.setdefault((field, package), []).append(Version(valid_from, record))
    return {of: Versions(tuple(versions)) for of, versions in found.items()}


def _bounds(name: str, cut: Cut | None) -> Mapping[str, object]:
    return {f"{name}_read_to": None if cut is None else cut.read_to, f"{name}_at": None if cut is None else cut.at}
