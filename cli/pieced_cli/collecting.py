"""The sources that the environment names, and one collection from each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from pieced_billing.calendar import Month, day_start, from_microseconds
from pieced_billing.errors import Refused, UsageError
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from pieced_billing.usage.collect import Collected, collect
from pieced_billing.usage.exchange import rates
from pieced_billing.usage.json_api import JsonApi
from pieced_billing.usage.litellm import LiteLLM
from pieced_billing.usage.litellm_source import LlmSpend
from pieced_billing.usage.llm_spend import Conversion
from pieced_billing.usage.settings import LiteLLMSettings, RelaySettings, litellm_settings, relay_settings
from pieced_billing.usage.source import UsageSource
from pieced_billing.usage.threema_relay import ThreemaMessages, recorded_days
from pieced_cli.database import database


def collect_all(environment: Mapping[str, str], month: Month | None, since: date | None) -> list[Collected]:
    """Collect from every source; UsageError where there is none.

    A source from which nothing can be collected fails alone, for every tenant.
    """
    litellm, relay = litellm_settings(environment), relay_settings(environment)
    if litellm is None and relay is None:
        raise UsageError("No source of usage is set up: set PIECED_LITELLM_URL, PIECED_THREEMA_RELAY_URL or both.")
    with database() as connection:
        with connection.transaction():
            zone = load_settings(connection).zone
        asked = month.first if month is not None else since
        window = (
            None if asked is None else _first_instant(asked, zone),
            None if month is None else _first_instant(month.next.first, zone),
        )
        collected = []
        if litellm is not None:
            with _llm_spend(connection, litellm, zone) as source:
                collected.append(_collect(connection, source, *window))
        if relay is not None:
            with _threema_messages(connection, relay, zone) as source:
                collected.append(_collect(connection, source, *window))
        return collected


def _collect(connection: Connection, source: UsageSource, asked: datetime | None, before: datetime | None) -> Collected:
    try:
        return collect(connection, source, asked, before)
    except Refused as refusal:
        return Collected(source.name, failures=[("every tenant", str(refusal).rstrip("."))])


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    return from_microseconds(day_start(day, zone))


@contextmanager
def _llm_spend(connection: Connection, settings: LiteLLMSettings, zone: ZoneInfo) -> Iterator[UsageSource]:
    conversion = None
    if settings.currency != "CHF":
        with connection.transaction():
            conversion = Conversion(zone, rates(connection))
    with _api("LiteLLM", settings.url, settings.key) as api:
        yield LlmSpend(LiteLLM(api), settings, conversion)


@contextmanager
def _threema_messages(connection: Connection, settings: RelaySettings, zone: ZoneInfo) -> Iterator[UsageSource]:
    with _api("The Threema relay", settings.url, settings.token) as api:
        yield ThreemaMessages(api, zone, partial(recorded_days, connection, zone))


@contextmanager
def _api(name: str, url: str, token: str) -> Iterator[JsonApi]:
    api = JsonApi(name, url, token)
    try:
        yield api
    finally:
        api.close()
