"""The file format of prices: numbers by their text, and every mistake named with its line."""

from datetime import date
from decimal import Decimal

import pytest

from pieced_billing.prices.entries import PriceEntry
from pieced_billing.prices.read import read_prices
from pieced_billing.yaml_file import BadFile

EXAMPLE = b"""
platform:
  - {tenant_setup_fee_chf: 99.00, tenant_monthly_fee_chf: 49.90, threema_message_chf: 0.005}
  - {from: 2024-01-01, vat_rate_chli: 8.1}
packages:
  searxng-local-search:
    - {daily_price_chf: 0.10, setup_fee_chf: 5.00}
    - {from: 2026-03-20, daily_price_chf: null}
"""


def read(content: str) -> list[PriceEntry]:
    return read_prices(content.encode(), "prices.yaml")


def test_entries_come_in_the_order_of_the_file() -> None:
    search = "searxng-local-search"
    assert read_prices(EXAMPLE, "prices.yaml") == [
        PriceEntry(None, "tenant_setup_fee_chf", None, Decimal("99.00")),
        PriceEntry(None, "tenant_monthly_fee_chf", None, Decimal("49.90")),
        PriceEntry(None, "threema_message_chf", None, Decimal("0.005")),
        PriceEntry(None, "vat_rate_chli", date(2024, 1, 1), Decimal("8.1")),
        PriceEntry(search, "daily_price_chf", None, Decimal("0.10")),
        PriceEntry(search, "setup_fee_chf", None, Decimal("5.00")),
        PriceEntry(search, "daily_price_chf", date(2026, 3, 20), None),
    ]


@pytest.mark.parametrize("text", ["49.90", "'49.90'", "0.10", "0", "010", "99999999.99"])
def test_rule_12_numbers_are_taken_by_their_text(text: str) -> None:
    (entry,) = read(f"platform: [{{tenant_monthly_fee_chf: {text}}}]")
    assert str(entry.value) == str(Decimal(text.strip("'")))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("49.905", "more than 2 decimals"),
        ("49.900", "more than 2 decimals"),
        ("-1", "not negative"),
        ("1e2", "written with digits"),
        ("1.0e+2", "written with digits"),
        ("1_000", "written with digits"),
        ("0x10", "written with digits"),
        ("1:30", "written with digits"),
        (".5", "written with digits"),
        (".nan", "written with digits"),
        (".inf", "written with digits"),
        ("yes", "written with digits"),
        ("[1]", "written with digits"),
        ("٣", "written with digits"),
        ("100000000", "must be at most 99999999\\.99"),
        ("null", "0 is free"),
        ("", "0 is free"),
    ],
)
def test_other_numbers_are_refused(value: str, said: str) -> None:
    with pytest.raises(BadFile, match=f"^prices.yaml, line 2: platform: tenant_setup_fee_chf .*{said}"):
        read(f"platform:\n  - {{tenant_setup_fee_chf: {value}}}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "prices.yaml is empty."),
        ("# nothing\n", "prices.yaml is empty."),
        ("[]", "line 1: the file must be a mapping"),
        ("platform: {tenant_setup_fee_chf: 1}", "line 1: platform must be a list"),
        ("platform:\n  - 5", "line 2: platform must be a mapping"),
        (
            "platform: []\nplattform: []",
            "line 2: the key 'plattform' of the file is not known; there are platform, packages",
        ),
        ("platform:\n  - {monthly: 1}", "line 2: the key 'monthly' of platform is not known"),
        ("platform:\n  - {tenant_setup_fee_chf: 1, tenant_setup_fee_chf: 2}", "is there twice"),
        ("platform:\n  - {from: 2026-01-01}", "line 2: platform has no price in it"),
        ("platform:\n  - {vat_rate_chli: 8.1}", "line 2: platform: vat_rate_chli needs `from`"),
        ("platform:\n  - {from: 2026-01-01, vat_rate_chli: 100.01}", "must be at most 100."),
        ("platform:\n  - {from: 2026-02-30, tenant_setup_fee_chf: 1}", "line 2: platform: from must be a date such as"),
        ("platform:\n  - {from: 2026-2-3, tenant_setup_fee_chf: 1}", "must be a date such as"),
        ("platform:\n  - {from: 2026-01-01T00:00:00Z, tenant_setup_fee_chf: 1}", "must be a date such as"),
        ("platform:\n  - {from: null, tenant_setup_fee_chf: 1}", "must be a date such as"),
        ("packages:\n  12: [{daily_price_chf: 1}]", "line 2: the key '12' of packages must be a string"),
        (
            "packages:\n  ? [a, b]\n  : [{daily_price_chf: 1}]",
            "line 2: a key of packages must be a string; write digits in",
        ),
        ("packages:\n  {a: b}: [{daily_price_chf: 1}]", "line 2: a key of packages must be a string"),
        ("packages:\n  x: [{daily_price_chf: 100000}]", "daily_price_chf must be at most 99999.99999."),
        ("packages:\n  x: [{daily_price_chf: 0.000001}]", "packages: x: daily_price_chf has more than 5 decimals"),
        ("platform: [\n", "line 2: this is no YAML"),
        ("platform: [{tenant_setup_fee_chf: !!int 5}, {tenant_setup_fee_chf: !x 5}]", "written with digits"),
        ("a: 1\n---\nb: 2", "this is no YAML"),
        ("platform: !!python/object:os.system []", "platform must be a list"),
        ("a: &a [*a]", "is not known"),
        ("platform: \x00", "this is no YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(content: str, said: str) -> None:
    with pytest.raises(BadFile) as refused:
        read(content)
    assert said in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadFile, match=r"^prices.yaml is not text in UTF-8\.$"):
        read_prices(b"\xff\xfe\x00", "prices.yaml")


def test_empty_sections_say_nothing() -> None:
    assert read("platform:\npackages:\n") == []
    assert read("packages: {search: }") == []
