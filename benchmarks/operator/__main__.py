"""`make bench-operator`: the operator against a real API server and Postgres, with up to 10,000 tenants.

All but 200 tenants are suspended, so that the machine measures the operator and not pods. Everything runs on the one
machine: API server, etcd, controllers, Postgres, the operator and this program that makes the load.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Collection

from benchmarks.machine import shares_by_session
from benchmarks.operator import results, world
from benchmarks.operator.measure import OUTAGE_SECONDS, PARTS, measure
from benchmarks.operator.population import RUNNING
from benchmarks.operator.programs import PROGRAMS
from benchmarks.operator.progress import say
from pieced_local.errors import LocalError


def main() -> None:
    """Measure what was asked for, each size on a cluster and a database of its own, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.operator",
        description="Measure the operator. Figures are kept in .cache/, so that parts can be measured one by one.",
    )
    parser.add_argument("--tenants", type=int, nargs="+", default=[1_000, 5_000, 10_000], help="sizes to measure")
    parser.add_argument("--programs", type=_some_of(PROGRAMS), default="pieced", help=f"of {','.join(PROGRAMS)}")
    parser.add_argument("--parts", type=_some_of(PARTS), default=",".join(PARTS), help=f"of {','.join(PARTS)}")
    parser.add_argument("--outage-seconds", type=float, default=OUTAGE_SECONDS, help="how long Postgres is away")
    parser.add_argument("--keep", action="store_true", help="keep cluster and ledger, and use those kept before")
    parser.add_argument("--write", action="store_true", help="put all figures kept into docs/performance.md")
    asked = parser.parse_args()
    if min(asked.tenants) <= RUNNING:
        parser.error(f"a size must be more than the {RUNNING} tenants that are not suspended")
    if shares_by_session():
        say("Changes may wait half a second for a processor; `sysctl kernel.sched_autogroup_enabled=0` avoids it.")
    try:
        for tenants in asked.tenants:
            for program in asked.programs:
                _measure(program, tenants, asked)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except LocalError as failure:
        sys.exit(str(failure))
    shown = asked.programs if asked.programs == ["pieced"] else PROGRAMS  # the others are for comparison
    columns = [(program, tenants) for tenants in asked.tenants for program in shown]
    print(results.render(columns))
    if asked.write:
        results.write()


def _measure(program: str, tenants: int, asked: argparse.Namespace) -> None:
    say(f"{program}, {tenants:,} tenants")
    PROGRAMS[program].prepare()
    with world.running(PROGRAMS[program], tenants, keep=asked.keep) as here:
        asyncio.run(measure(here, tenants, asked.parts, asked.outage_seconds))


def _some_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """A parser of names with commas between them."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
        return found

    return names


if __name__ == "__main__":
    main()
