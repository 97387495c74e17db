"""Quick reading of lines of usage says what the thorough one says, and each row is the link that a proof expects."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.calendar import Microseconds, from_microseconds, to_microseconds
from pieced_billing.ledger.chain import canonical, link_hash
from pieced_billing.ledger.lines import USAGE, Line, Malformed, parse_line
from pieced_billing.ledger.usage_lines import parse_usage_line
from pieced_billing.ledger.usage_links import COLUMNS, End, linked_rows
from pieced_billing.store.instants import from_wire

NOW = to_microseconds(datetime(2026, 4, 1, tzinfo=UTC))
INSTANTS = st.integers(to_microseconds(datetime(1, 1, 1, tzinfo=UTC)), NOW)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
NUMBERS = st.from_regex(r"-?[0-9]{1,31}(\.[0-9]{1,19})?", fullmatch=True)
WRONG: st.SearchStrategy[object] = st.sampled_from(
    [None, "", "x" * 253, "x" * 254, "ü" * 253, "a\0b", 'say "x"', "back\\slash", "tab\t", 7, 1.5, True, [], {}, "２"]
)
FIELDS: Mapping[str, st.SearchStrategy[object]] = {
    "uid": TEXTS,
    "meter": st.sampled_from(["llm_spend", "threema_messages", "messages"]),
    "quantity": st.sampled_from(["1.5", "12", "0", "-1", "-0.00", "007.10", "12.0", "1e3", " 1", ".5"]) | NUMBERS,
    "at": st.sampled_from(
        [
            *(
                "2026-03-01T09:00:00Z",
                "2026-03-01T09:00:00.5Z",
                "2026-03-01T09:00:00.5+00:00",
                "2026-03-01T09:00:00.Z",
                "2026-03-01T09:00:00+00:00",
                "2026-03-01T09:00:00.123456+01:00",
            ),
            *("2026-03-01t09:00:00z", "2026-03-01 09:00:00Z", "2026-03-01T09:00:00", "2026-03-01T09:00:00.1234567Z"),
            *("2026-02-30T09:00:00Z", "2026-03-01T24:00:00Z", "2026-W09-1T09:00:00Z", "0000-01-01T00:00:00Z"),
            *("2026-04-01T00:05:00Z", "2026-04-01T00:05:00.000001Z", "2026-03-01T09:00:60Z"),
        ]
    ),
    "id": TEXTS,
    "source": st.none() | TEXTS,
    "corrects": st.none() | TEXTS,
    "kind": st.sampled_from([USAGE, "created", "usages", None]),
    "cluster": TEXTS,
    "other": TEXTS,
}
USUAL = ("uid", "meter", "quantity", "at", "id")
ENTRIES = st.fixed_dictionaries(
    {name: FIELDS[name] for name in USUAL[1:]},
    optional={name: FIELDS[name] for name in FIELDS if name not in USUAL[1:]},
)


def quickly(raw: bytes) -> Line | str:
    try:
        return parse_usage_line(raw, NOW)
    except Malformed as malformed:
        return str(malformed)


def thoroughly(raw: bytes) -> Line | str:
    try:
        return parse_line(raw, NOW, USAGE)
    except Malformed as malformed:
        return str(malformed)


def assert_read_alike(raw: bytes) -> None:
    found = quickly(raw)
    assert found == thoroughly(raw)
    assert str(found) == str(thoroughly(raw))  # Decimals that are equal may be written differently


@given(ENTRIES, st.dictionaries(st.sampled_from(sorted(FIELDS)), WRONG, max_size=1))
def test_quick_and_thorough_reading_agree(entry: dict[str, object], wrong: dict[str, object]) -> None:
    assert_read_alike(orjson.dumps(entry | wrong))


@given(ENTRIES, st.data())
def test_they_agree_on_bytes_that_were_changed(entry: dict[str, object], data: st.DataObject) -> None:
    raw = orjson.dumps(entry)
    at = data.draw(st.integers(0, len(raw)))
    change = data.draw(st.sampled_from([b"", b'"', b"\\", b"\xff", b"\x01", b" ", b"}", b'"id":"z",', b"\\u0041"]))
    assert_read_alike(raw[:at] + change + raw[at + data.draw(st.integers(0, 1)) :])


def test_a_field_that_is_there_twice() -> None:
    raw = b'{"uid":"u","meter":"llm_spend","quantity":"1","at":"2026-03-01T09:00:00Z","id":"x","id":"y"}'
    assert quickly(raw) == 'has the field "id" twice'


def text_of(value: object) -> str | None:
    return None if value is None else f"{value:zf}" if isinstance(value, Decimal) else str(value)


def instant_of(instant: Microseconds) -> str:
    """As PostgreSQL writes it in JSON."""
    at = from_microseconds(instant)
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    return f"{at.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}+00:00"


LINES = st.builds(
    lambda uid, meter, at, source, usage_id, quantity, corrects: Line(
        USAGE, uid, meter, at, source, quantity=Decimal(quantity), usage_id=usage_id, corrects=corrects
    ),
    st.sampled_from(["a", "b", 'c"']),
    st.sampled_from(["llm_spend", "threema_messages"]),
    INSTANTS,
    TEXTS,
    TEXTS,
    NUMBERS,
    st.none() | TEXTS,
)


@given(st.lists(LINES), TEXTS, INSTANTS)
def test_each_row_is_the_next_link_of_its_tenant(lines: list[Line], cluster: str, recorded_at: Microseconds) -> None:
    ends = {uid: End(cluster, length, bytes([length]) * 32) for length, uid in enumerate(["a", "b", 'c"'])}
    after: dict[str, End] = {}
    by_uid = sorted(lines, key=lambda line: line.uid)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in linked_rows(by_uid, ends, after, recorded_at)]
    assert [row["tenant_uid"] for row in rows] == [line.uid for line in by_uid]
    for uid, end in after.items():
        head, length = ends[uid].head, ends[uid].length
        of_tenant = [line for line in lines if line.uid == uid]
        for line, fields in zip(of_tenant, [row for row in rows if row["tenant_uid"] == uid], strict=True):
            stated, link = fields.pop("link_hash"), fields.pop("link")
            instants = {name: instant_of(from_wire(int(str(fields[name])))) for name in ("occurred_at", "recorded_at")}
            entry = {name: text_of(value) for name, value in fields.items()} | instants | {"table": "usage_records"}
            assert (fields["usage_id"], fields["quantity"]) == (line.usage_id, line.quantity)
            head, length = link_hash(head, canonical(entry)), length + 1
            assert (link, stated) == (length, head)
        assert end == End(cluster, length, head, len(of_tenant))
