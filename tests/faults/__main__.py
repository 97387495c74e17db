"""`python -m tests.faults`: a storm of faults, as long as wanted, and whether the ledger bore it.

`make test-faults` lets every kind of fault come three times, `make soak` lets them come for half an hour and adds what
it counted to a page.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from pieced_local import places
from tests.faults.faults import FAULTS, SLOW, Fault
from tests.faults.report import add_to_page
from tests.faults.storm import Outcome, storm
from tests.faults.world import world
from tests.folders import worker_folder

RATE = 14
EVIDENCE = places.PROJECT / ".cache" / "faults"


def main() -> int:
    """Run one storm; exit status 1 when there is a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--rounds", type=int, help="let every kind of fault come so often")
    length.add_argument("--minutes", type=float, help="let faults come for so long")
    parser.add_argument("--seed", type=int, help="repeat the storm of this number")
    parser.add_argument("--report", type=Path, help="add what was counted to this page")
    given = parser.parse_args()
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # an API server that is away is no news here
    seed = Random().randrange(10**6) if given.seed is None else given.seed
    random = Random(seed)
    faults = _rounds(random, given.rounds) if given.rounds else _minutes(random, given.minutes)
    evidence = EVIDENCE / f"seed-{seed}"
    with worker_folder() as folder, world(folder) as made:
        outcome = storm(made, seed, faults, rate=RATE, evidence=evidence)
    _tell(outcome, evidence)
    if given.report is not None:
        add_to_page(given.report, outcome)
    return 1 if outcome.differences or outcome.unnoticed else 0


def _rounds(random: Random, count: int) -> Iterator[Fault]:
    """Every kind so often, in a random order; those that take long once."""
    kinds = [*SLOW, *(kind for kind in FAULTS for _ in range(count))]
    random.shuffle(kinds)
    yield from kinds


def _minutes(random: Random, minutes: float) -> Iterator[Fault]:
    """Kinds by their weights, for so long."""
    kinds = FAULTS | SLOW
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        yield random.choices(list(kinds), list(kinds.values()))[0]


def _tell(outcome: Outcome, evidence: Path) -> None:
    print(outcome)
    print(f"points: {dict(sorted(outcome.points.items()))}")
    print(f"the ledger followed within {outcome.slowest_seconds:.1f} s; {outcome.sabotages} sabotages, all noticed")
    for difference in outcome.differences:
        print(f"DIFFERENCE: {difference}")
    for one in outcome.unnoticed:
        print(f"NOT NOTICED: {one}")
    if outcome.differences or outcome.unnoticed:
        print(f"see {evidence}")


sys.exit(main())
