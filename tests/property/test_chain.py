"""The chain as a pure thing: its canonical form is RFC 8785's, and no tampering with rows goes unnoticed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.ledger.chain import LINKED, Chain, Entry, canonical
from pieced_billing.ledger.chain_walk import ChainWalk
from pieced_billing.ledger.flaws import Flaw
from tests.property.chains import Recorded, edited, recorded

TEXTS = st.text()
ROWS = st.dictionaries(st.text("abcdefghijklmnopqrstuvwxyz_"), st.none() | TEXTS)


@given(ROWS)
def test_the_canonical_form_is_rfc_8785(row: dict[str, str | None]) -> None:
    there = {name: value for name, value in row.items() if value is not None}
    written = json.dumps(there, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(row) == written.encode()


@given(ROWS, st.randoms())
def test_the_canonical_form_knows_no_order_of_columns(row: dict[str, str | None], random: object) -> None:
    names = list(row)
    random.shuffle(names)  # type: ignore[attr-defined]
    assert canonical({name: row[name] for name in names}) == canonical(row)


def flaws(entries: list[Entry], chain: Chain | None) -> list[tuple[str, str, int | None]]:
    """What a walk along the rows finds: what, table, link."""
    walk = ChainWalk()
    for entry in sorted(entries, key=lambda one: (one.link is None, one.link)):
        walk.take(entry)
    return [(flaw.what, flaw.table, flaw.link) for flaw in walk.flaws(chain)]


def place(data: st.DataObject, of: Recorded) -> int:
    """The index of one of the rows."""
    return data.draw(st.integers(0, len(of.entries) - 1))


@given(recorded(least=0))
def test_what_was_recorded_has_no_flaw(of: Recorded) -> None:
    assert flaws(of.entries, of.chain) == []


@given(recorded(), st.data())
def test_an_edited_row_is_the_only_flaw(of: Recorded, data: st.DataObject) -> None:
    index = place(data, of)
    row = of.entries[index]
    assert flaws([*of.entries[:index], edited(row, "c"), *of.entries[index + 1 :]], of.chain) == [
        ("edited", row.fields["table"], row.link)
    ]


@given(recorded(), st.data())
def test_a_row_that_is_gone_is_the_only_flaw(of: Recorded, data: st.DataObject) -> None:
    index = place(data, of)
    row = of.entries.pop(index)
    what = "deleted" if index < len(of.entries) else "truncated"
    assert flaws(of.entries, of.chain) == [(what, row.fields["table"], row.link)]


@given(recorded(), st.data())
def test_every_row_of_a_tail_that_is_gone_is_a_flaw(of: Recorded, data: st.DataObject) -> None:
    index = place(data, of)
    found = flaws(of.entries[:index], of.chain)
    assert len(found) == len(of.entries) - index
    assert {what for what, *_ in found} == {"truncated"}


@given(recorded(), st.data(), st.sampled_from(LINKED), st.none() | st.integers(1, 9))
def test_a_row_that_was_put_in_is_a_flaw(of: Recorded, data: st.DataObject, table: str, link: int | None) -> None:
    new = Entry(link, bytes(32), canonical({"table": table, "content": "new"}))
    index = data.draw(st.integers(0, len(of.entries)))
    found = flaws([*of.entries[:index], new, *of.entries[index:]], of.chain)
    if link is None or link <= len(of.entries):
        assert found == [("inserted", table, link)]
    else:
        assert found


@given(recorded(least=2), st.data())
def test_rows_that_changed_places_are_the_only_flaws(of: Recorded, data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.lists(st.integers(0, len(of.entries) - 1), min_size=2, max_size=2, unique=True)))
    entries = list(of.entries)
    for here, there in ((one, other), (other, one)):
        row = of.entries[here]
        entries[here] = Entry(of.entries[there].link, row.link_hash, row.content)
    assert set(flaws(entries, of.chain)) == {
        ("reordered", of.entries[one].fields["table"], of.entries[other].link),
        ("reordered", of.entries[other].fields["table"], of.entries[one].link),
    }


@given(recorded(least=4), st.data())
def test_an_edit_after_a_row_that_is_gone_is_still_named(of: Recorded, data: st.DataObject) -> None:
    index = data.draw(st.integers(2, len(of.entries) - 1))
    row = of.entries[index]
    of.entries[index] = edited(row, "c")
    gone = of.entries.pop(0)
    assert flaws(of.entries, of.chain) == [
        ("edited", row.fields["table"], row.link),
        ("deleted", gone.fields["table"], gone.link),
    ]


@given(recorded(), st.data())
def test_an_end_that_was_changed_is_a_flaw(of: Recorded, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(LINKED))
    changed = data.draw(
        st.sampled_from(
            [
                of.chain._replace(head=bytes(31) + b"x"),
                of.chain._replace(length=of.chain.length - 1),
                of.chain._replace(rows={**of.chain.rows, table: of.chain.rows[table] + 1}),
                None,
            ]
        )
    )
    found = flaws(of.entries, changed)
    assert [where for _, where, _ in found] == ["ledger_chains"]


def test_a_row_gone_from_among_many_tables_is_named_by_the_counts() -> None:
    walk = ChainWalk()
    chain = Chain(3, b"", {"tenant_skill_events": 1, "usage_records": 1, "tenant_lifecycle_events": 1})
    assert [flaw.table for flaw in walk.flaws(chain)] == [
        "tenant_lifecycle_events or tenant_skill_events",
        "tenant_lifecycle_events or tenant_skill_events",
        "usage_records",
    ]
    assert all(isinstance(flaw, Flaw) for flaw in walk.flaws(chain))
