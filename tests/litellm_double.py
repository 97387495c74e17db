"""A server that answers as a LiteLLM proxy does: spend logs by page, keys, teams; it refuses what the proxy refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.json_server import Answer, serving

KEY = "sk-the-admin-s-own-key"


@dataclass
class LiteLLMDouble:
    """What the proxy holds, and how it misbehaves: `failures` are the statuses of its next answers."""

    url: str = ""
    logs: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    down: bool = False
    counts_up_to: int = 10_000
    asked: list[str] = field(default_factory=list)

    def spend(self, alias: str, at: str, spend: float, request_id: str = "") -> str:
        """Let the key with this alias have made a request; returns its id."""
        request_id = request_id or f"chatcmpl-{len(self.logs)}"
        self.logs.append(
            {
                "request_id": request_id,
                "call_type": "acompletion",
                "api_key": f"hash-of-{alias}",
                "spend": spend,
                "startTime": datetime.fromisoformat(at).astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "model": "gpt-4o",
                "team_id": "",
                "status": "success",
                "metadata": {"user_api_key_alias": alias, "user_api_key_team_id": None},
            }
        )
        return request_id

    def key(self, alias: str, team: str | None) -> None:
        """Let there be a key with this alias, in a team that has its own id as alias."""
        self.keys.append({"token": f"hash-of-{alias}", "key_alias": alias, "team_id": team})
        if team is not None:
            self.teams.setdefault(team, team)

    def answer(self, path: str, query: dict[str, str], authorization: str | None) -> Answer:
        self.asked.append(path)
        if self.down:
            return 500, {"error": {"message": f"no database; the key was {authorization}"}}
        if self.failures:
            return self.failures.pop(0), {"error": {"message": "try again"}}
        if authorization != f"Bearer {KEY}":
            return 401, {"error": {"message": "Authentication Error, Invalid proxy server token passed"}}
        routes = {"/spend/logs/v2": self._logs, "/key/list": self._keys, "/team/info": self._team}
        return routes[path](query) if path in routes else (404, {"detail": "Not Found"})

    def _logs(self, query: dict[str, str]) -> Answer:
        page, page_size = int(query.get("page", 1)), int(query.get("page_size", 50))
        if page < 1 or not 1 <= page_size <= 100:
            return 422, {"detail": [{"msg": "Input should be less than or equal to 100"}]}
        try:
            start, end = (
                datetime.strptime(query[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
                for name in ("start_date", "end_date")
            )
        except (KeyError, ValueError):
            return 400, {"error": {"message": "Start date and end date are required"}}
        rows = [
            row
            for row in self.logs
            if start <= datetime.fromisoformat(row["startTime"]) <= end
            and query.get("key_alias", "") in row["metadata"]["user_api_key_alias"]
        ]
        rows.sort(key=lambda row: row["startTime"], reverse=query.get("sort_order", "desc") == "desc")
        total = min(len(rows), self.counts_up_to)
        return 200, {
            "data": rows[(page - 1) * page_size : page * page_size],
            "total": total,
            "total_is_capped": len(rows) > self.counts_up_to,
            "page": page,
            "page_size": page_size,
            "total_pages": -(-total // page_size),
        }

    def _keys(self, query: dict[str, str]) -> Answer:
        page, size = int(query.get("page", 1)), int(query.get("size", 10))
        shown = self.keys[(page - 1) * size : page * size]
        if query.get("return_full_object") != "true":
            shown = [key["token"] for key in shown]
        pages = -(-len(self.keys) // size)
        return 200, {"keys": shown, "total_count": len(self.keys), "current_page": page, "total_pages": pages}

    def _team(self, query: dict[str, str]) -> Answer:
        team = query["team_id"]
        if team not in self.teams:
            return 404, {"error": {"message": "Team not found"}}
        return 200, {"team_id": team, "team_info": {"team_id": team, "team_alias": self.teams[team]}, "keys": []}


@contextmanager
def litellm_double() -> Iterator[LiteLLMDouble]:
    """A proxy without keys and spend, on a port of its own; gone with all its connections at the end."""
    double = LiteLLMDouble()
    with serving(double.answer) as double.url:
        yield double
