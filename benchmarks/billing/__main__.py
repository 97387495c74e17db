"""`make bench-billing`: a month of 1,000, 10,000 and 100,000 tenants, from what happened to documents.

The commands run as their users run them, each a process of its own, on an embedded PostgreSQL that keeps its promises.
Every size meets a database of its own. It needs 12 GB on the disk and a quarter of an hour.
"""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from benchmarks.billing.results import render
from benchmarks.billing.stages import NEEDED, STAGES, Month, measure, measure_documents, measure_single_tenants
from benchmarks.billing.world import World, running_world
from benchmarks.machine import machine
from benchmarks.report import put_into

_PAGE = Path("docs/performance.md")
_MARK = "bench-billing"
_ONE_EACH, _ONE_EACH_DOCUMENTS = "one-each", "one-each-documents"
_ALL = (*STAGES, _ONE_EACH, _ONE_EACH_DOCUMENTS)


def main() -> None:
    """Measure what is asked for; print the table and, if wanted, put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billing", description="Measure billing.")
    parser.add_argument("--tenants", default="1000,10000,100000", help="sizes, with commas between")
    parser.add_argument(
        "--stages",
        default=",".join(_ALL),
        help=f"with commas between; {', '.join(sorted(NEEDED))} are always among them",
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {_PAGE}")
    asked = parser.parse_args()
    sizes, chosen = [int(size) for size in asked.tenants.split(",")], set(asked.stages.split(","))
    if unknown := chosen - {*_ALL}:
        sys.exit(f"There is no stage {', '.join(sorted(unknown))}; stages are {', '.join(_ALL)}.")
    with running_world() as world:
        months = [measure(world, size, chosen) for size in sizes]
        of_one_tenant = _of_one_tenant(world, max(sizes), chosen)
    rendered = render(months, of_one_tenant)
    print(rendered)
    if asked.write:
        put_into(_PAGE, _MARK, f"{rendered}\n\n{machine()}")


def _of_one_tenant(world: World, tenants: int, chosen: Collection[str]) -> dict[tuple[str, str], Month]:
    """What is measured of organisations with one tenant each, by the stage and its name in the table."""
    measured = {}
    if _ONE_EACH in chosen:
        measured["run", "run, one tenant each"] = measure_single_tenants(world, tenants)
    if _ONE_EACH_DOCUMENTS in chosen:
        measured["documents", "documents, one tenant each"] = measure_documents(world, e_invoice=True)
        measured["documents", "documents, payment part alone"] = measure_documents(world, e_invoice=False)
    return measured


if __name__ == "__main__":
    main()
