"""A storm: a workload and one fault after another, and in the end the checker's word."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.audit import entries
from tests.faults.checker import Difference, differences
from tests.faults.evidence import keep
from tests.faults.exported import exported
from tests.faults.faults import Fault
from tests.faults.sabotage import unnoticed
from tests.faults.scene import Scene
from tests.faults.witness import witnessed
from tests.faults.workload import Workload
from tests.faults.world import World

CUSTOMERS = 6
TENANTS = 60
SABOTAGED = 20


@dataclass
class Outcome:
    """What a storm was like: `points` are those at which the operator died, `faults` counts these deaths too."""

    seed: int
    operations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    events: int = 0
    sabotages: int = 0
    unnoticed: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    slowest_seconds: float = 0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.operations} operations, {self.faults.total()} faults, {self.restarts} restarts, "
            f"{self.events} events, {len(self.differences)} differences"
        )


def storm(world: World, seed: int, faults: Iterator[Fault], *, rate: float, evidence: Path) -> Outcome:
    """Let faults come one after the other while customers work, `rate` operations a second; then compare.

    Each fault begins when the ledger has followed after the one before. Fails when it does not follow in time.
    """
    outcome = Outcome(seed)
    workload = Workload(world.control.cluster, seed, customers=CUSTOMERS, tenants=TENANTS, rate=rate)
    scene = Scene(world, workload, Random(seed))
    try:
        scene.begin()
        for fault in faults:
            began = time.monotonic()
            workload.allow_force()
            fault(scene)
            mended = time.monotonic()
            scene.await_canary()
            scene.await_ends()
            outcome.faults[fault.__name__] += 1
            outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - mended)
            print(f"{time.monotonic() - began:5.1f} s  {fault.__name__}", flush=True)
        outcome.operations = scene.settle()
        _compare(scene, outcome)
    finally:
        if outcome.differences or outcome.unnoticed or not outcome.events:
            keep(evidence, world.audit_log, world.export(), scene.known, scene.replica.log)
        scene.end()
    outcome.points = scene.replica.reached
    outcome.faults["died at a point"] = outcome.points.total()
    outcome.restarts = scene.replica.starts - 1
    return outcome


def _compare(scene: Scene, outcome: Outcome) -> None:
    """Ask the checker, and whether it would have noticed."""
    log, ledger = witnessed(entries(scene.world.audit_log)), exported(scene.world.export())
    outcome.events = sum(map(len, ledger.values()))
    outcome.differences = differences(log, ledger, scene.known)
    if not outcome.differences:
        outcome.sabotages, outcome.unnoticed = unnoticed(log, ledger, scene.known, scene.random, SABOTAGED)
