"""Named points at which a test can make the process die as by a power cut.

With `PIECED_FAULT=observe.after_lock` in the environment the process appends that name to the file `PIECED_FAULT_LOG`
and kills itself when it gets there; `observe.after_lock:3` means the third time. Without the variable nothing happens.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final

POINTS: Final = (
    # each connection to the database (store/connections.py), each request that only reads (api_server.py)
    "database.before_connect",
    "api.before_read",
    # an upgrade of the tables (store/upgrade.py)
    "upgrade.after_lock",
    "upgrade.after_statement",
    "upgrade.after_grants",
    "upgrade.after_commit",
    # one observation (ledger/observe.py), in the order in which it passes them
    "observe.begin",
    "observe.before_lock",
    "observe.after_lock",
    "observe.before_fetch_again",
    "observe.after_fetch_again",
    "observe.after_decision",
    "observe.between_events",
    "observe.after_events",
    "observe.after_row",
    "observe.before_commit",
    "observe.after_commit",
    # observations of many tenants at once (ledger/observe_together.py)
    "together.before_save",
    "together.after_commit",
    # a tenant that is no more (ledger/observe.py)
    "missing.after_lock",
    "missing.before_commit",
    "missing.after_commit",
    # how far the watch has come (pieced_operator/position_keeper.py)
    "position.before_read",
    "position.before_save",
    "position.after_save",
    # what waits for the database, in the status (pieced_operator/safekeeping.py)
    "unrecorded.before_write",
    "unrecorded.after_write",
    # what changed before the start (pieced_operator/bridge.py)
    "replay.before_watch",
    "replay.complete",
    # one round of work on a tenant (pieced_operator/reconcile.py and what it calls), before and after each request
    "reconcile.before_finalizer",
    "reconcile.after_finalizer",
    "reconcile.before_create_namespace",
    "reconcile.after_create_namespace",
    "reconcile.before_apply",
    "reconcile.after_apply",
    "reconcile.before_delete_child",
    "reconcile.after_delete_child",
    "reconcile.before_status",
    "reconcile.after_status",
    "reconcile.before_retention_delete",
    "reconcile.after_retention_delete",
    "reconcile.before_release",
    "reconcile.after_release",
    # the finalizer of a package, the ConfigMap of the catalogue, and the Lease
    "package.before_finalizer",
    "package.after_finalizer",
    "catalogue.before_apply",
    "catalogue.after_apply",
    "lease.before_acquire",
    "lease.after_acquire",
    "lease.before_renew",
    "lease.after_renew",
    "lease.before_release",
    "lease.after_release",
    # what nobody waits for: status.cost, and the Events about a tenant (pieced_operator/cost_keeper.py, announce.py)
    "cost.before_write",
    "cost.after_write",
    "event.before_post",
    "event.after_post",
    # the resource's part of a resume request, inside the transaction that records it (pieced_operator/resuming.py)
    "resume.before_change",
    "resume.after_change",
    # the ConfigMap of a seal, and parting with the operator (pieced_operator/published_seal.py, release.py)
    "seal.before_publish",
    "seal.after_publish",
    "release.before_finalizer",
    "release.after_finalizer",
    # what a sweep asks for and ends (pieced_operator/missing.py)
    "sweep.before_look",
    "sweep.before_end",
    "sweep.after_end",
    # one batch of an invoice run (invoicing/run.py, invoicing/save.py)
    "run.after_drafts",
    "run.after_lock",
    "run.after_lines",
    "run.after_numbers",
    "run.after_invoices",
    "run.after_commit",
    # what was collected from a source of usage (usage/collect.py)
    "collect.after_records",
    "collect.after_commit",
    # one message to a mail server (mail/sending.py)
    "mail.after_claim",
    "mail.after_acceptance",
    "mail.after_commit",
    # the seal around an invoice run (invoicing/holes.py, pieced_operator/published_numbers.py)
    "numbers.after_holes",
    "numbers.before_publish",
    "numbers.after_publish",
)

_passed: Counter[str] = Counter()


def point(name: str) -> None:
    """Die here by SIGKILL if the environment asks for it."""
    assert name in POINTS, f"unknown fault point {name}"
    wanted = os.environ.get("PIECED_FAULT")
    if wanted is None:
        return
    wanted_name, _, nth = wanted.partition(":")
    assert wanted_name in POINTS, f"PIECED_FAULT names the unknown fault point {wanted_name}"
    if name != wanted_name:
        return
    _passed[name] += 1
    if _passed[name] == int(nth or 1):
        _die(name)


def _die(name: str) -> None:
    """Leave a line that outlives the process, then end it without any cleaning up."""
    log = os.environ.get("PIECED_FAULT_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
    os.kill(os.getpid(), signal.SIGKILL)
