"""The engine's draft of a told history, with prices that make the arithmetic easy to see."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tests.engine import document
from tests.ledger_lines import ORG, Line
from tests.oracle.bill import Books, Question

Entry = dict[str, Any]
"""An entry of a price file, or of a file of organisations."""

MARCH = "2026-03"
PLATFORM = [{"tenant_setup_fee_chf": "99.00", "tenant_monthly_fee_chf": "31.00", "threema_message_chf": "0.005"}]
PACKAGES = {"search": [{"daily_price_chf": "0.10", "setup_fee_chf": "5.00"}]}
ORGS = [{"org": ORG, "name": "Acme AG", "country": "CH"}]


def drafted(
    *lines: Line,
    month: str = MARCH,
    platform: Sequence[Mapping[str, Any]] = PLATFORM,
    packages: Mapping[str, Sequence[Mapping[str, Any]]] = PACKAGES,
    orgs: Sequence[Mapping[str, Any]] = ORGS,
    zone: str = "Europe/Zurich",
    billing_start: date | None = None,
    as_of: str | None = None,
) -> dict[str, Any]:
    """The draft's document; of its warnings only code and tenant."""
    return document(Books(lines, platform, packages, orgs), Question(ORG, month, zone, billing_start, as_of))


def lines_of(draft: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [line for line in draft["lines"] if line["kind"] == kind]


def active_days(draft: Mapping[str, Any]) -> int:
    return sum(int(line["quantity"]) for line in lines_of(draft, "tenant_monthly_fee"))


def package_days(draft: Mapping[str, Any]) -> int:
    return sum(int(line["quantity"]) for line in lines_of(draft, "package_days"))


def service(draft: Mapping[str, Any], kind: str) -> list[tuple[str, str, str, str]]:
    """First and last day of service, quantity and amount of each line of a kind."""
    keys = ("service_from", "service_to", "quantity", "amount")
    return [tuple(line[key] for key in keys) for line in lines_of(draft, kind)]
