"""The ways in which the same events can arrive: in another order, some of them again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random

import orjson

from tests.engine import document
from tests.oracle.days import Line, instant
from tests.property.histories import Case, random_case

Tie = tuple[str, datetime]


def drafts_of_arrivals(seed: int, arrivals: int) -> set[bytes]:
    """The drafts of one random history as told, and as it arrives some times otherwise."""
    rng = Random(seed)
    case = random_case(rng)
    cases = [case, *(_arrived(rng, case) for _ in range(arrivals))]
    return {orjson.dumps(document(told.books, told.question)) for told in cases}


def _arrived(rng: Random, case: Case) -> Case:
    """The lines in another order, some of them twice; those of one UID and instant stay in theirs."""
    lines = [(_tie(line), line) for line in case.books.lines]
    turns = {tie: rng.random() for tie, _ in lines}
    shuffled = sorted(lines, key=lambda told: turns[told[0]])
    for repeat in rng.sample(shuffled, rng.randint(0, len(shuffled))):
        shuffled.insert(rng.randint(_after_tie(shuffled, repeat[0]), len(shuffled)), repeat)
    return replace(case, books=replace(case.books, lines=[line for _, line in shuffled]))


def _tie(line: Line) -> Tie:
    return (line["uid"], instant(line["at"]))


def _after_tie(lines: Sequence[tuple[Tie, Line]], tie: Tie) -> int:
    return 1 + max(place for place, (other, _) in enumerate(lines) if other == tie)
