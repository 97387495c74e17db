"""The ledger as `pieced ledger export` wrote it: the events of each tenant, in their order."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """One line; `what` names the package too: `enabled search`."""

    what: str
    at: datetime
    quality: str
    not_before: datetime | None
    not_after: datetime | None
    generation: int | None
    tenant: str | None
    org: str | None

    def __str__(self) -> str:
        generation = "" if self.generation is None else f", generation {self.generation}"
        return f"{self.what} at {self.at.isoformat()} ({self.quality}{generation})"


def exported(lines: Iterable[str]) -> dict[str, list[Event]]:
    """The events of each uid, in the order of the export."""
    found: dict[str, list[Event]] = {}
    for line in lines:
        entry = json.loads(line)
        if entry["kind"] != "usage":
            found.setdefault(entry["uid"], []).append(_event(entry))
    return found


def _event(entry: dict[str, str]) -> Event:
    return Event(
        what=" ".join(entry[key] for key in ("kind", "package") if key in entry),
        at=datetime.fromisoformat(entry["at"]),
        quality=entry.get("quality", "exact"),
        not_before=_instant(entry.get("not_before")),
        not_after=_instant(entry.get("not_after")),
        generation=None if entry.get("generation") is None else int(entry["generation"]),
        tenant=entry.get("tenant"),
        org=entry.get("org"),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
