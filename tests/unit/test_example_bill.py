"""The example of the interchange formats, to the Rappen and to the key order."""

import json
from datetime import date

from tests.unit.rated import Entry, drafted

LINES = """
{"kind": "created", "uid": "6f1c", "tenant": "acme", "org": "310001", "at": "2026-03-01T09:00:00Z"}
{"kind": "enabled", "uid": "6f1c", "package": "searxng-local-search", "at": "2026-03-01T09:00:00Z"}
{"kind": "disabled", "uid": "6f1c", "package": "searxng-local-search", "at": "2026-03-09T17:30:00.250000Z"}
{"kind": "suspended", "uid": "6f1c", "at": "2026-03-10T00:00:00+01:00"}
{"kind": "resumed", "uid": "6f1c", "at": "2026-03-12T08:00:00Z"}
{"kind": "deleted", "uid": "6f1c", "at": "2026-03-20T12:00:00Z"}
{"kind": "usage", "uid": "6f1c", "meter": "llm_spend", "quantity": "1.234567", "at": "2026-03-02T10:00:00Z", \
"id": "u-1"}
{"kind": "usage", "uid": "6f1c", "meter": "threema_messages", "quantity": "12", "at": "2026-03-02T10:00:00Z", \
"id": "u-2"}
"""
PLATFORM: list[Entry] = [
    {"tenant_setup_fee_chf": "99.00", "tenant_monthly_fee_chf": "49.90", "threema_message_chf": "0.005"},
    {"from": date(2024, 1, 1), "vat_rate_chli": "8.1"},
    {"from": date(2026, 3, 15), "tenant_monthly_fee_chf": "59.90"},
]
PACKAGES: dict[str, list[Entry]] = {
    "searxng-local-search": [
        {"daily_price_chf": "0.10", "setup_fee_chf": "5.00"},
        {"from": date(2026, 3, 20), "daily_price_chf": None},
    ]
}
EXPECTED = [
    ("tenant_setup_fee", None, "01", "01", "1", "once", "99.00", "99.00"),
    ("tenant_monthly_fee", None, "01", "14", "12", "day", "49.90", "19.32"),
    ("tenant_monthly_fee", None, "15", "20", "6", "day", "59.90", "11.59"),
    ("package_setup_fee", "searxng-local-search", "01", "01", "1", "once", "5.00", "5.00"),
    ("package_days", "searxng-local-search", "01", "09", "9", "day", "0.10", "0.90"),
    ("llm_spend", None, "02", "02", "1.234567", "CHF", "1.00", "1.23"),
    ("threema_messages", None, "02", "02", "12", "message", "0.005", "0.06"),
]


def test_the_documented_example_is_the_draft() -> None:
    draft = drafted(*map(json.loads, LINES.split("\n")[1:-1]), platform=PLATFORM, packages=PACKAGES)
    assert json.dumps(draft) == json.dumps(
        {
            "org": "310001",
            "period": "2026-03",
            "currency": "CHF",
            "vat_posture": "standard",
            "lines": [
                {
                    "tenant": "acme",
                    "uid": "6f1c",
                    "kind": kind,
                    "package": package,
                    "service_from": f"2026-03-{first}",
                    "service_to": f"2026-03-{last}",
                    "quantity": quantity,
                    "unit": unit,
                    "unit_price": unit_price,
                    "vat_rate": "8.1",
                    "amount": amount,
                }
                for kind, package, first, last, quantity, unit, unit_price, amount in EXPECTED
            ],
            "net": "137.10",
            "vat": [{"rate": "8.1", "net": "137.10", "amount": "11.11"}],
            "gross": "148.21",
            "warnings": [],
        }
    )
