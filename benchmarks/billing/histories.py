"""A made-up month: organisations with some tenants each, ten lines of the ledger for every tenant."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

EVENTS = 10
MONTH = "2026-03"
PRICES = """
platform:
  - {tenant_setup_fee_chf: 99.00, tenant_monthly_fee_chf: 49.90, threema_message_chf: 0.005}
packages:
  search: [{daily_price_chf: 0.10, setup_fee_chf: 5.00}]
  threema: [{daily_price_chf: 0.25, setup_fee_chf: 5.00}]
"""
_BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def write_history(file: Path, tenants: int, of_each: int) -> None:
    """Write the history of organisations with so many tenants each as JSON Lines, the same one every time."""
    choice = random.Random(20260301)
    with file.open("wb") as out:
        for number in range(tenants):
            for line in _tenant(number, organisation(number // of_each), choice):
                out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def organisation(number: int) -> str:
    """The id of an organisation."""
    return f"org-{number:06}"


def _tenant(number: int, org: str, choice: random.Random) -> Iterator[dict[str, str]]:
    """A tenant that switches two packages, pauses, and uses something: seven lines of its life, three of usage."""
    uid = str(UUID(int=choice.getrandbits(128), version=4))
    at = [_text(seconds) for seconds in sorted(choice.sample(range(58 * 86_400), 7))]
    yield {"kind": "created", "uid": uid, "tenant": f"tenant-{number:06}", "org": org, "at": at[0]}
    yield {"kind": "enabled", "uid": uid, "package": "search", "at": at[1]}
    yield {"kind": "enabled", "uid": uid, "package": "threema", "at": at[2]}
    yield {"kind": "disabled", "uid": uid, "package": "search", "at": at[3]}
    yield {"kind": "suspended", "uid": uid, "at": at[4]}
    yield {"kind": "resumed", "uid": uid, "at": at[5]}
    yield {"kind": "enabled", "uid": uid, "package": "search", "at": at[6]}
    for usage, meter in enumerate(("llm_spend", "llm_spend", "threema_messages")):
        quantity = str(choice.randrange(1, 500)) if meter == "threema_messages" else f"{choice.random() * 20:.6f}"
        in_march = _text(choice.randrange(29 * 86_400, 58 * 86_400))
        yield {
            "kind": "usage",
            "uid": uid,
            "meter": meter,
            "quantity": quantity,
            "at": in_march,
            "id": f"{number}-{usage}",
        }


def _text(seconds: int) -> str:
    return (_BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
