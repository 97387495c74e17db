"""What a line of the interchange format may say."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from pieced_billing.calendar import to_microseconds
from pieced_billing.ledger.lines import Line, Malformed, parse_line

NINE = to_microseconds(datetime(2026, 3, 1, 9, tzinfo=UTC))
NOW = NINE + 3600 * 10**6

CREATED: dict[str, Any] = {"kind": "created", "uid": "u", "tenant": "acme", "org": "1", "at": "2026-03-01T09:00:00Z"}
SUSPENDED: dict[str, Any] = {"kind": "suspended", "uid": "u", "at": "2026-03-01T09:00:00Z"}
ENABLED: dict[str, Any] = SUSPENDED | {"kind": "enabled", "package": "p"}
SPEND: dict[str, Any] = SUSPENDED | {"kind": "usage", "meter": "llm_spend", "quantity": "1.5", "id": "x"}
MESSAGES: dict[str, Any] = SPEND | {"meter": "threema_messages", "quantity": "12"}


def parse(entry: dict[str, Any]) -> Line:
    return parse_line(orjson.dumps(entry), NOW)


def reason(entry: dict[str, Any]) -> str:
    with pytest.raises(Malformed) as malformed:
        parse(entry)
    return str(malformed.value)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (CREATED, Line("created", "u", "", NINE, tenant="acme", org="1")),
        (SUSPENDED, Line("suspended", "u", "", NINE)),
        (SUSPENDED | {"kind": "resumed"}, Line("resumed", "u", "", NINE)),
        (SUSPENDED | {"kind": "deleted"}, Line("deleted", "u", "", NINE)),
        (ENABLED, Line("enabled", "u", "p", NINE)),
        (ENABLED | {"kind": "disabled"}, Line("disabled", "u", "p", NINE)),
        (SPEND, Line("usage", "u", "llm_spend", NINE, quantity=Decimal("1.5"), usage_id="x")),
        (MESSAGES, Line("usage", "u", "threema_messages", NINE, quantity=Decimal(12), usage_id="x")),
    ],
)
def test_each_kind_has_its_fields(entry: dict[str, Any], line: Line) -> None:
    assert parse(entry) == line


def test_what_is_optional_may_stand_on_any_line() -> None:
    optional = {
        "source": "portal",
        "cluster": "c",
        "not_before": "2026-03-01T08:00:00Z",
        "not_after": "2026-03-01T09:30:00Z",
        "quality": "bounded",
        "generation": 7,
        "manager": "kubectl",
    }
    for entry in (CREATED, SUSPENDED, ENABLED, SPEND):
        line = parse(entry | optional)
        assert (line.source, line.cluster, line.quality, line.generation) == ("portal", "c", "bounded", 7)
        assert (line.not_before, line.not_after) == (NINE - 3600 * 10**6, NINE + 1800 * 10**6)
        assert line.manager == "kubectl"
        assert parse(entry | dict.fromkeys(optional)) == parse(entry)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T09:00:00Z", NINE),
        ("2026-03-01T09:00:00+00:00", NINE),
        ("2026-03-01T10:00:00+01:00", NINE),
        ("2026-02-28T23:00:00-10:00", NINE),
        ("2026-03-01T09:00:00.000000Z", NINE),
        ("2026-03-01T09:00:00.5Z", NINE + 500_000),
        ("2026-03-01T09:00:00.000001Z", NINE + 1),
        ("2026-03-01 09:00:00Z", NINE),
        ("2026-03-01t09:00:00z", NINE),
        ("2026-03-01T10:05:00Z", NOW + 300 * 10**6),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ],
)
def test_an_instant_is_the_same_in_every_spelling(text: str, instant: int) -> None:
    assert parse(SUSPENDED | {"at": text}).at == instant


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("2026-03-01T09:00:00", "without an offset"),
        ("2026-03-01T09:00:00.1234567Z", "at most six digits"),
        ("2026-03-01T09:00:00.0000000+01:00", "at most six digits"),
        ("2026-03-01T10:05:00.000001Z", "more than 5 minutes in the future"),
        ("9999-12-31T23:59:59Z", "more than 5 minutes in the future"),
        ("2026-02-30T09:00:00Z", "which no calendar or clock shows"),
        ("2026-03-01T24:00:00Z", "which no calendar or clock shows"),
        ("2026-03-01T09:00:60Z", "which no calendar or clock shows"),
        ("2026-03-01T09:00:00+24:00", "which no calendar or clock shows"),
        ("0000-03-01T09:00:00Z", "which no calendar or clock shows"),
        ("0001-01-01T00:00:00+01:00", "the first year is 1"),
        ("2026-03-01", "an instant is written"),
        ("2026-03-01T09Z", "an instant is written"),
        ("2026-03-01T09:00:00,5Z", "an instant is written"),
        ("2026-W09-7T09:00:00Z", "an instant is written"),
        ("20260301T090000Z", "an instant is written"),
        ("٢٠٢٦-03-01T09:00:00Z", "an instant is written"),
        (" 2026-03-01T09:00:00Z", "an instant is written"),
        ("2026-03-01T09:00:00Z\n", "an instant is written"),
        ("now", "an instant is written"),
        ("", "an instant is written"),
        (1_772_355_600, "an instant is written"),
        (["2026-03-01T09:00:00Z"], "an instant is written"),
    ],
)
@pytest.mark.parametrize("field", ["at", "not_before", "not_after"])
def test_a_malformed_instant_is_refused(field: str, text: Any, because: str) -> None:
    assert because in reason(SUSPENDED | {field: text})


@pytest.mark.parametrize(
    ("quantity", "because"),
    [
        ("-1", "needs `corrects`"),
        ("-0", "needs `corrects`"),
        ("1e3", "without exponent"),
        ("1E-2", "without exponent"),
        ("+1", "without exponent"),
        (".5", "without exponent"),
        ("5.", "without exponent"),
        ("1,5", "without exponent"),
        ("1_000", "without exponent"),
        (" 1", "without exponent"),
        ("١", "without exponent"),
        ("NaN", "without exponent"),
        ("Infinity", "without exponent"),
        ("0x10", "without exponent"),
        ("", "without exponent"),
        (1.5, "without exponent"),
        (1, "without exponent"),
        (True, "without exponent"),
        ("0.1234567890123456789", "18 after"),
        ("1" + "0" * 30, "30 digits before"),
    ],
)
def test_a_malformed_quantity_is_refused(quantity: Any, because: str) -> None:
    assert because in reason(SPEND | {"quantity": quantity})


@pytest.mark.parametrize("quantity", ["0", "0.00", "007", "0.123456789012345678", "9" * 30 + "." + "9" * 18])
def test_a_quantity_is_exact(quantity: str) -> None:
    assert parse(SPEND | {"quantity": quantity}).quantity == Decimal(quantity)


def test_messages_are_whole() -> None:
    assert parse(MESSAGES | {"quantity": "12.0"}).quantity == 12
    assert "messages are whole" in reason(MESSAGES | {"quantity": "12.5"})


def test_a_negative_quantity_corrects_something() -> None:
    line = parse(SPEND | {"quantity": "-1.5", "corrects": "y"})
    assert (line.quantity, line.corrects) == (Decimal("-1.5"), "y")


@pytest.mark.parametrize(
    ("entry", "because"),
    [
        (SUSPENDED | {"kind": "paused"}, 'the kind "paused"'),
        (SUSPENDED | {"kind": "Suspended"}, 'the kind "Suspended"'),
        (SUSPENDED | {"kind": None}, "the kind null"),
        (SUSPENDED | {"kind": ["created"]}, 'the kind ["created"]'),
        ({"uid": "u"}, "the kind null"),
        (SPEND | {"meter": "llm"}, 'the meter "llm"'),
        (SPEND | {"meter": ["llm_spend"]}, 'the meter ["llm_spend"]'),
        (SUSPENDED | {"package": "p"}, 'a field that suspended does not have: "package"'),
        (ENABLED | {"tenant": "acme"}, 'a field that enabled does not have: "tenant"'),
        (SUSPENDED | {"id": "x"}, 'a field that suspended does not have: "id"'),
        (ENABLED | {"corrects": "x"}, 'a field that enabled does not have: "corrects"'),
        (CREATED | {"At": "x", "Org": "y"}, '"At", "Org"'),
        ({"kind": "suspended", "uid": "u"}, "lacks at"),
        (SUSPENDED | {"uid": None}, "lacks uid"),
        ({"kind": "enabled", "uid": "u", "at": "2026-03-01T09:00:00Z"}, "lacks package"),
        (CREATED | {"org": None}, "lacks org"),
        (SPEND | {"id": None}, "lacks id"),
        (SUSPENDED | {"uid": ""}, 'the uid ""'),
        (SUSPENDED | {"uid": 7}, "the uid 7"),
        (SUSPENDED | {"uid": "x" * 254}, "1 to 253 characters"),
        (SUSPENDED | {"uid": "a\0b"}, "the uid"),
        (CREATED | {"org": 310001}, "the org 310001"),
        (ENABLED | {"package": ["p"]}, 'the package ["p"]'),
        (SUSPENDED | {"source": ""}, 'the source ""'),
        (SUSPENDED | {"quality": "good"}, 'the quality "good"'),
        (SUSPENDED | {"quality": ["exact"]}, 'the quality ["exact"]'),
        (SUSPENDED | {"generation": "7"}, 'the generation "7"'),
        (SUSPENDED | {"generation": -1}, "the generation -1"),
        (SUSPENDED | {"generation": True}, "the generation true"),
        (SUSPENDED | {"generation": 2**63}, "the generation"),
        (SUSPENDED | {"manager": 1}, "the manager 1"),
    ],
)
def test_what_a_kind_does_not_say_is_refused(entry: dict[str, Any], because: str) -> None:
    assert because in reason(entry)


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[1]", b'"created"', b"null", b"7", b'{"kind": NaN}', b"{'kind': 'created'}", b'{"a":1}{"b":2}'],
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match="JSON"):
        parse_line(raw, NOW)


@pytest.mark.parametrize("raw", [b"\xff", b'{"kind": "created", "uid": "Z\xfcrich"}', '{"kind": "x"}'.encode("utf-16")])
def test_what_is_no_utf_8_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed, match=r"^is not text in UTF-8$"):
        parse_line(raw, NOW)


TWICE = {
    "with another value": b'"uid": "v", ',
    "with the same value": b'"uid": "u", ',
    "with a value of another type": b'"uid": 7, ',
    "with an object": b'"uid": {"at": ["x"]}, ',
    "with a colon apart": b'"uid"\t : "v", ',
    "spelt otherwise": b'"\\u0075id": "v", ',
    "with a quotation mark in it": b'"uid": "\\"", ',
}


@pytest.mark.parametrize("first", TWICE.values(), ids=TWICE.keys())
def test_a_field_stands_once_in_a_line(first: bytes) -> None:
    line = b'{%b"uid": "u", "kind": "suspended", "at": "2026-03-01T09:00:00Z", "generation": 7, "manager": null}'
    assert parse_line(line % b"", NOW).uid == "u"
    with pytest.raises(Malformed, match=r'^has the field "uid" twice$'):
        parse_line(line % first, NOW)


@pytest.mark.parametrize("uid", ['a"b', 'a":b', '\\"', '"uid":', '"kind": "created", "kind": "created"'])
def test_quotation_marks_in_a_text_are_no_names(uid: str) -> None:
    assert parse(SUSPENDED | {"uid": uid, "generation": 1}).uid == uid


def test_a_long_value_is_not_repeated_in_full() -> None:
    assert len(reason(SUSPENDED | {"uid": "x" * 100_000})) < 200
