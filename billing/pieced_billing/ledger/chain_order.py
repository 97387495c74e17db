"""Where rows that do not follow from the row before them were recorded, if they are genuine. Pure.

The hash of a genuine row says which row it followed. From the first row on that gives the order in which the rows were
recorded; an edited row follows none, and stands for its own place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pieced_billing.ledger.chain import BEFORE_FIRST, Entry, canonical, link_hash


class Step(NamedTuple):
    """A row as it stands now, and the hash that it states."""

    link: int
    stated: bytes


def recorded_links(steps: Sequence[Step], unexpected: Mapping[int, Entry]) -> dict[int, int]:
    """By their links now, the links with which genuine rows were recorded.

    `steps` are all rows of a chain in their order, `unexpected` those of them, by link, that do not follow from the
    step before them, or cannot because there is a hole. Rows that follow none, as edited ones do, stay where they are.
    """
    known = [BEFORE_FIRST, *(step.stated for step in steps)]
    follower: dict[bytes, Step] = {}
    starts = [Step(0, BEFORE_FIRST)]
    for before, step in zip(known, steps, strict=False):
        entry = unexpected.get(step.link)
        followed = before if entry is None else _followed(entry, known)
        if followed is None:
            starts.append(step)
        else:
            follower[followed] = step
    links: dict[int, int] = {}
    for start in starts:
        following = _following(start.stated, follower)
        links |= {step.link: recorded for recorded, step in enumerate(following, start.link + 1)}
    return links


def recorded_seq(entry: Entry, before: bytes, others: Sequence[Entry]) -> str | None:
    """The sequence number of another row with which an event gives its hash."""
    for seq in {other.fields["seq"] for other in others if other.seq is not None}:
        if entry.seq is not None and link_hash(before, canonical(entry.fields | {"seq": seq})) == entry.link_hash:
            return seq
    return None


def _followed(entry: Entry, known: Sequence[bytes]) -> bytes | None:
    return next((before for before in known if link_hash(before, entry.content) == entry.link_hash), None)


def _following(start: bytes, follower: dict[bytes, Step]) -> Iterator[Step]:
    """The rows that follow each other from a hash on, each once."""
    while (step := follower.pop(start, None)) is not None:
        yield step
        start = step.stated
