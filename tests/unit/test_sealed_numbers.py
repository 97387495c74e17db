"""Sealed counters of invoice numbers: what was signed comes back, and what says nothing of numbers is not believed."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.invoicing.sealed_numbers import seal_numbers, sealed_numbers
from pieced_billing.ledger.signed_line import BadSeal, signed_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DATABASE = UUID("b3c5a0de-8f5e-4f0c-9d50-0c1f7f0a2a11")
COUNTERS = {NumberSeries("Pieced AG, Zürich", "INV", 2026): 1_000_017, NumberSeries("default", "INV", 2025): 3}
LINE = seal_numbers(DATABASE, COUNTERS, datetime(2026, 11, 1, tzinfo=UTC), KEY).line


def stated(**fields: object) -> str:
    return signed_line("invoice_numbers", fields, KEY).decode()


def test_what_was_sealed_comes_back() -> None:
    assert sealed_numbers(LINE, KEY.public_key(), "it") == (DATABASE, COUNTERS, LINE)
    assert '"sealed_at":"2026-11-01T00:00:00Z"' in LINE


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace("1000017", "1000016"), "is not signed with this key"),
        (signed_line("ledger", {"last": {}}, KEY).decode(), "states ledger"),
        (stated(), "does not say which"),
        (stated(last={}), "does not say which numbers of which database"),
        (stated(database="x", last={}), "does not say which"),
        (stated(database=str(DATABASE)), "does not say which"),
        (stated(database=str(DATABASE), last="7"), "does not say which"),
        (stated(database=str(DATABASE), last={"INV": "7"}), "does not say which"),
        (stated(database=str(DATABASE), last={"default INV 2026": "x"}), "does not say which"),
        ("", "is no seal"),
    ],
)
def test_what_says_nothing_of_numbers_is_not_believed(line: str, reason: str) -> None:
    with pytest.raises(BadSeal, match=f"^it {reason}"):
        sealed_numbers(line, KEY.public_key(), "it")
