"""From LiteLLM's spend logs to usage records in CHF. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Microseconds, from_microseconds, local_date
from pieced_billing.ledger.events import Meter
from pieced_billing.ledger.lines import LONGEST_TEXT, USAGE, Line
from pieced_billing.money import exact_product, round_half_away
from pieced_billing.usage.coverage import Life, life_at
from pieced_billing.usage.source import Reading

SOURCE: Final = "litellm"

DECIMALS: Final = 12
"""Spend is a float at its source: of one request so many decimals are kept, and the noise behind them is not."""


class SpendLog(NamedTuple):
    """One request: its id, when it began, and what it cost in the proxy's currency, exactly as it was said."""

    request_id: str
    at: Microseconds
    spend: Decimal


class Conversion(NamedTuple):
    """The rates by which spend in USD becomes CHF, by local day of the billing zone."""

    zone: ZoneInfo
    rates: Mapping[date, Decimal]


def spend_records(
    logs: Iterable[SpendLog], lives: Sequence[Life], end: Microseconds, conversion: Conversion | None
) -> Reading:
    """One record for each request that cost something, for the life that it belongs to; `logs` come by instant.

    Spend is in CHF, or in USD with a `conversion`; the reading ends before the first request of a day without a rate.
    """
    lines: list[Line] = []
    for log in logs:
        if not log.spend:
            continue
        spend = log.spend
        if conversion is not None:
            day = local_date(from_microseconds(log.at), conversion.zone)
            if day not in conversion.rates:
                return Reading(lines, log.at, f"there is no rate of USD for {day}")
            spend = exact_product(spend, conversion.rates[day])
        quantity = round_half_away(spend, decimals=DECIMALS)
        if quantity:
            lines.append(_record(log, life_at(lives, log.at).uid, quantity))
    return Reading(lines, end)


def _record(log: SpendLog, uid: str, quantity: Decimal) -> Line:
    return Line(
        USAGE,
        uid,
        str(Meter.LLM_SPEND),
        log.at,
        source=SOURCE,
        quantity=quantity,
        usage_id=usage_id(log.request_id),
    )


def usage_id(request_id: str) -> str:
    """The id of a request as a record can have it: some providers' ids are longer than an index takes."""
    if len(request_id) <= LONGEST_TEXT and "\0" not in request_id:
        return request_id
    return f"sha256:{hashlib.sha256(request_id.encode()).hexdigest()}"
