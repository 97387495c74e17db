"""LiteLLM's spend logs, keys and teams, as its proxy's API gives them (`/spend/logs/v2`, `/key/list`, `/team/info`).

What one has to know of it: bounds are whole seconds of UTC, both inclusive; an alias is filtered by a part of it, not
at all in older versions; rows are counted up to 10,000, and then it says that it stopped; a row is written some time
after its request; and rows that are written while pages are read move from one page to another.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from pieced_billing.calendar import from_microseconds, to_microseconds
from pieced_billing.errors import Unavailable
from pieced_billing.usage.coverage import Stretch
from pieced_billing.usage.json_api import JsonApi
from pieced_billing.usage.llm_spend import SpendLog

_LOGS: Final = "/spend/logs/v2"
_KEYS: Final = "/key/list"
_TEAM: Final = "/team/info"
_PAGE_SIZE: Final = 100  # the largest that is accepted
_READINGS: Final = 5
_SECOND: Final = 1_000_000


class LiteLLM:
    """A LiteLLM proxy; each call raises Unavailable where it does not answer as it should."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def spend_logs(self, alias: str, stretch: Stretch) -> list[SpendLog]:
        """Every request of the key with this alias that began in a stretch of time, by instant."""
        found = self._logs(alias, stretch).values()
        within = [log for log in found if log is not None and stretch.start <= log.at < stretch.end]
        return sorted(within, key=lambda log: (log.at, log.request_id))

    def teams_by_alias(self) -> Mapping[str, str | None]:
        """The team of every key that has an alias, by the alias; None for a key without a team."""
        teams: dict[str, str | None] = {}
        page = 1
        while True:
            query: dict[str, str | int] = {"page": page, "size": _PAGE_SIZE, "return_full_object": "true"}
            document = self._api.get(_KEYS, query | {"include_team_keys": "true"})
            keys = _list(document, "keys", _KEYS)
            for key in keys:
                if isinstance(key, dict) and isinstance(alias := key.get("key_alias"), str):
                    teams[alias] = key.get("team_id") or None
            if page >= _whole(document, "total_pages", _KEYS) or not keys:
                return teams
            page += 1

    def team_alias(self, team: str) -> str | None:
        """The alias of a team, empty where it has none; None if there is no such team."""
        document = self._api.get(_TEAM, {"team_id": team}, absent_is_none=True)
        if document is None:
            return None
        about = document.get("team_info") if isinstance(document, dict) else None
        if not isinstance(about, dict):
            raise Unavailable(f"LiteLLM answers {_TEAM} without team_info.")
        return str(about.get("team_alias") or "")

    def _logs(self, alias: str, stretch: Stretch) -> dict[str, SpendLog | None]:
        """What the proxy gives for a stretch, by request; None for one of another alias.

        A stretch of which it does not count the rows is read by halves.
        """
        for _ in range(_READINGS):
            logs, total = self._pages(alias, stretch)
            if total is None:
                break
            if len(logs) >= total:
                return logs
        else:
            raise Unavailable(
                f"LiteLLM gives fewer spend logs of {alias} than it counts; they change while they are read."
            )
        middle = (stretch.start + stretch.end) // 2
        if middle - stretch.start < _SECOND:
            raise Unavailable(f"LiteLLM has more spend logs of {alias} in a second than it counts.")
        return self._logs(alias, Stretch(stretch.start, middle)) | self._logs(alias, Stretch(middle, stretch.end))

    def _pages(self, alias: str, stretch: Stretch) -> tuple[dict[str, SpendLog | None], int | None]:
        """The requests of all pages, and how many rows there are; None where the proxy stopped counting."""
        logs: dict[str, SpendLog | None] = {}
        page = 1
        while True:
            document = self._api.get(_LOGS, _query(alias, stretch, page))
            found = _list(document, "data", _LOGS)
            total = _whole(document, "total", _LOGS)
            if document.get("total_is_capped"):
                return {}, None
            for row in found:
                request_id = row.get("request_id") if isinstance(row, dict) else None
                if not isinstance(request_id, str):
                    raise Unavailable(f"LiteLLM answers {_LOGS} with a row that has no request_id.")
                logs[request_id] = _spend_log(row) if _alias_of(row) == alias else None
            if not found or page >= _whole(document, "total_pages", _LOGS):
                return logs, total
            page += 1


def _query(alias: str, stretch: Stretch, page: int) -> dict[str, str | int]:
    last = (stretch.end + _SECOND - 1) // _SECOND * _SECOND
    return {
        "key_alias": alias,
        "start_date": f"{from_microseconds(stretch.start):%Y-%m-%d %H:%M:%S}",
        "end_date": f"{from_microseconds(last):%Y-%m-%d %H:%M:%S}",
        "page": page,
        "page_size": _PAGE_SIZE,
        "sort_by": "startTime",
        "sort_order": "asc",
    }


def _alias_of(row: Mapping[str, Any]) -> str | None:
    """The alias of the key that a request was made with, as it was then."""
    metadata = row.get("metadata")
    try:
        known = orjson.loads(metadata) if isinstance(metadata, str) else metadata
    except orjson.JSONDecodeError:
        return None
    return known.get("user_api_key_alias") if isinstance(known, dict) else None


def _spend_log(row: Mapping[str, Any]) -> SpendLog:
    request_id, spend = row["request_id"], row.get("spend")
    if isinstance(spend, bool) or not isinstance(spend, int | float) or spend < 0 or not request_id:
        raise Unavailable(f"LiteLLM says that request {request_id!r} cost {spend!r}; that is no amount.")
    try:
        begun = datetime.fromisoformat(str(row.get("startTime")))
    except ValueError:
        raise Unavailable(f"LiteLLM says that request {request_id!r} began at {row.get('startTime')!r}.") from None
    at = to_microseconds(begun if begun.tzinfo is not None else begun.replace(tzinfo=UTC))
    return SpendLog(request_id, at, Decimal(repr(spend)))


def _list(document: Any, name: str, path: str) -> list[Any]:
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unavailable(f"LiteLLM answers {path} without a list of {name}.")
    return found


def _whole(document: Mapping[str, Any], name: str, path: str) -> int:
    found = document.get(name)
    if type(found) is not int:
        raise Unavailable(f"LiteLLM answers {path} without {name}.")
    return found
