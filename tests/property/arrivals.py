"""The ways in which the same events can arrive: in another order, some of them again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import orjson

from tests.engine import document
from tests.oracle.days import instant
from tests.property.histories import Case, random_case


def drafts_of_arrivals(seed: int, arrivals: int) -> set[bytes]:
    """The drafts of one random history as told, and as it arrives some times otherwise."""
    rng = Random(seed)
    case = random_case(rng)
    cases = [case, *(_arrived(rng, case) for _ in range(arrivals))]
    return {orjson.dumps(document(told.books, told.question)) for told in cases}


def _arrived(rng: Random, case: Case) -> Case:
    """The lines in another order, some of them twice; those of one UID and instant stay in theirs."""
    lines = case.books.lines
    turns = {_tie(line): rng.random() for line in lines}
    shuffled = sorted(lines, key=lambda line: turns[_tie(line)])
    for repeat in rng.sample(shuffled, rng.randint(0, len(shuffled))):
        shuffled.insert(rng.randint(_after_tie(shuffled, repeat), len(shuffled)), repeat)
    return replace(case, books=replace(case.books, lines=shuffled))


def _tie(line: Mapping[str, Any]) -> tuple[str, object]:
    return (line["uid"], instant(line["at"]))


def _after_tie(lines: Sequence[Mapping[str, Any]], line: Mapping[str, Any]) -> int:
    return 1 + max(place for place, other in enumerate(lines) if _tie(other) == _tie(line))
