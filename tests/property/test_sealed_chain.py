"""A chain beside its seal: nothing is said of what came later, and each row that is lost is named once."""

from hypothesis import given
from hypothesis import strategies as st

from pieced_billing.ledger.chain import LINKED, Chain, Entry
from pieced_billing.ledger.chain_walk import ChainWalk
from pieced_billing.ledger.seal import Head, Seal
from pieced_billing.ledger.sealed_chain import SealedChain
from tests.property.chains import Recorded, edited, linked, recorded

SEALED_AT = "2026-03-01T09:30:00Z"
LATER = st.lists(st.tuples(st.sampled_from(LINKED), st.sampled_from("ab")), max_size=4)

Found = list[tuple[str, str, int | None]]


def found(entries: list[Entry], chain: Chain | None, sealed: Chain, *, has_row: bool = True) -> Found:
    """What a walk along the rows finds, and the seal: what, table, link."""
    walk, beside = ChainWalk(), SealedChain(Head("u1", "acme", sealed), SEALED_AT)
    for entry in entries:
        if walk.take(entry):
            beside.take(entry)
    flaws = list(walk.flaws(chain))
    flaws += beside.flaws(chain, has_row=has_row, found=flaws)
    return [(flaw.what, flaw.table, flaw.link) for flaw in flaws]


def lost(entries: list[Entry], left: int) -> Found:
    """The rows after the first `left` ones, as they are named where their tables and numbers are known."""
    return [("truncated", entry.fields["table"], entry.link) for entry in entries[left:]]


@given(recorded(), LATER)
def test_what_was_recorded_after_the_seal_is_fine(of: Recorded, later: list[tuple[str, str]]) -> None:
    now = linked(later, minute=40, after=of.entries)
    assert found(now.entries, now.chain, of.chain) == []


@given(recorded(), st.data())
def test_each_row_of_a_tail_is_named_once_wherever_the_ledger_says_that_its_chain_ends(
    of: Recorded, data: st.DataObject
) -> None:
    left = data.draw(st.integers(0, len(of.entries) - 1))
    told = data.draw(st.integers(left, len(of.entries)))
    rows = [(entry.fields["table"], entry.fields["content"]) for entry in of.entries]
    flaws = found(of.entries[:left], linked(rows[:told]).chain, of.chain)
    assert {what for what, *_ in flaws} == {"truncated"}
    assert len(flaws) == len(of.entries) - left
    if len({entry.fields["table"] for entry in of.entries[left:]}) == 1:
        assert flaws == lost(of.entries, left)


@given(recorded())
def test_a_tenant_of_which_nothing_is_left_lost_every_row(of: Recorded) -> None:
    assert found([], None, of.chain) == found([], linked([]).chain, of.chain) == found([], of.chain, of.chain)


@given(recorded(), LATER, st.data())
def test_what_a_restored_backup_does_not_have_is_named_though_others_took_its_place(
    of: Recorded, later: list[tuple[str, str]], data: st.DataObject
) -> None:
    left = data.draw(st.integers(0, len(of.entries) - 1))
    restored = linked(later, minute=40, after=of.entries[:left])
    told = found(restored.entries, restored.chain, of.chain)
    assert {what for what, *_ in told} == {"truncated"}
    assert len(told) == len(of.entries) - left
    if len({entry.seq is None for entry in of.entries[left:]}) == 1:
        assert [link for *_, link in told] == [link for *_, link in lost(of.entries, left)]
    if len({entry.fields["table"] for entry in of.entries[left:]}) == 1:
        assert {table for _, table, _ in told} == {of.entries[left].fields["table"]}


@given(recorded(), LATER, st.data())
def test_a_chain_that_was_computed_anew_is_not_the_sealed_one(
    of: Recorded, later: list[tuple[str, str]], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(of.entries) - 1))
    rows = [(entry.fields["table"], entry.fields["content"]) for entry in of.entries]
    rows[index] = (rows[index][0], "other")
    anew = linked(later, minute=40, after=linked(rows).entries)
    assert found(anew.entries, anew.chain, of.chain) == [("rewritten", rows[-1][0], len(rows))]


@given(recorded(), st.data())
def test_what_the_chain_tells_itself_is_not_told_again(of: Recorded, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(of.entries) - 1))
    row = of.entries[index]
    assert found([*of.entries[:index], edited(row, "other"), *of.entries[index + 1 :]], of.chain, of.chain) == [
        ("edited", row.fields["table"], row.link)
    ]
    last = of.entries[-1]
    other = Entry(last.link, bytes(32), last.content)
    assert found([*of.entries[:-1], other], of.chain, of.chain) == [("edited", last.fields["table"], last.link)]
    gone = found([*of.entries[:index], *of.entries[index + 1 :]], of.chain, of.chain)
    assert [(table, link) for _, table, link in gone] == [(row.fields["table"], row.link)]


@given(recorded())
def test_of_a_tenant_that_is_gone_its_own_row_is_named_too(of: Recorded) -> None:
    *rows, tenant = found([], None, of.chain, has_row=False)
    assert len(rows) == len(of.entries)
    assert tenant == ("deleted", "tenant_billing_lifecycle", None)


@given(recorded(), st.none() | st.text())
def test_a_head_and_a_seal_come_back_as_they_were_written(of: Recorded, tenant: str | None) -> None:
    head = Head("u1", tenant, of.chain)
    assert Head.of(head.line()) == head
    seal = Seal(SEALED_AT, 1, of.chain.length, "00")
    assert Seal.of(seal.statement()) == seal
