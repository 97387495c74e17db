"""Sealed counters of invoice numbers: what was signed comes back, and what says nothing of numbers is not believed."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.invoicing.sealed_numbers import seal_numbers, sealed_numbers
from pieced_billing.ledger.signed_line import BadSeal, signed_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
COUNTERS = {NumberSeries("Pieced AG, Zürich", "INV", 2026): 1_000_017, NumberSeries("default", "INV", 2025): 3}
LINE = seal_numbers(COUNTERS, datetime(2026, 11, 1, tzinfo=UTC), KEY).line


def test_what_was_sealed_comes_back() -> None:
    assert sealed_numbers(LINE, KEY.public_key(), "it") == (COUNTERS, LINE)
    assert '"sealed_at":"2026-11-01T00:00:00Z"' in LINE


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace("1000017", "1000016"), "is not signed with this key"),
        (signed_line("ledger", {"last": {}}, KEY).decode(), "states ledger"),
        (signed_line("invoice_numbers", {}, KEY).decode(), "does not say which"),
        (signed_line("invoice_numbers", {"last": "7"}, KEY).decode(), "does not say which"),
        (signed_line("invoice_numbers", {"last": {"INV": "7"}}, KEY).decode(), "does not say which"),
        (signed_line("invoice_numbers", {"last": {"default INV 2026": "x"}}, KEY).decode(), "does not say which"),
        ("", "is no seal"),
    ],
)
def test_what_says_nothing_of_numbers_is_not_believed(line: str, reason: str) -> None:
    with pytest.raises(BadSeal, match=f"^it {reason}"):
        sealed_numbers(line, KEY.public_key(), "it")
