"""Every metric of the operator, once."""

from prometheus_client import Counter, Gauge, Histogram, Summary, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

API_REQUESTS = Counter("pieced_api_requests", "Requests to the API server", ["verb", "code"])
ERRORS = Counter("pieced_errors", "What went wrong and is tried again, by kind", ["kind"])

RECONCILES = Counter("pieced_reconciles", "Rounds of work on one resource", ["outcome"])
RECONCILE_SECONDS = Histogram("pieced_reconcile_seconds", "Duration of a round of work on one resource")
RECONCILE_QUEUE_DEPTH = Gauge("pieced_reconcile_queue_depth", "Resources that wait for a round of work or have one")
CHILDREN_UNREAD = Gauge("pieced_children_unread", "Tenants whose children are still to be read after the start")
CHILDREN_REPAIRED = Counter("pieced_children_repaired", "Children that somebody else had changed or removed")
TENANTS = Gauge("pieced_tenants", "Tenants by phase", ["phase"])

OBSERVATIONS = Counter("pieced_observations", "Versions of tenants handed to the ledger", ["source"])
OBSERVATIONS_DROPPED = Counter(
    "pieced_ledger_observations_dropped", "Versions given up because too many waited; the ledger marks the gap"
)
LEDGER_EVENTS = Counter("pieced_ledger_events", "Events written to the ledger", ["kind"])
LEDGER_QUEUE_DEPTH = Gauge("pieced_ledger_queue_depth", "Versions that wait to be written to the ledger")
LEDGER_OLDEST_PENDING = Gauge("pieced_ledger_oldest_pending_seconds", "Age of the oldest version that waits")
LEDGER_COMMIT_LAG = Histogram(
    "pieced_ledger_commit_lag_seconds",
    "Time from the delivery of a version to its commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
LEDGER_DATABASE_UP = Gauge("pieced_ledger_database_up", "Whether the ledger's database answered the last time")

COSTS_WAITING = Gauge("pieced_costs_waiting", "Tenants whose cost is to be worked out, because of a change or in turn")

SWEEP_SECONDS = Summary("pieced_sweep_seconds", "Duration of a sweep, the first one apart")
LAST_SWEEP = Gauge("pieced_last_sweep_timestamp_seconds", "When all tenants were last listed and compared")
SWEEP_MISMATCHES = Counter("pieced_sweep_mismatches", "Tenants that a sweep saw in a version that no watch delivered")
SWEEP_HALTED = Gauge("pieced_sweep_halted", "Whether the latest sweep stopped and ended nothing, by reason", ["reason"])
SWEEP_MISSING = Gauge(
    "pieced_sweep_missing_tenants", "Tenants alive in the ledger and gone in the cluster, too many to believe"
)
REPLAYS_GIVEN_UP = Counter(
    "pieced_replays_given_up", "Starts at which the API server did not tell any more what had changed before"
)
DISCONTINUITIES = Gauge(
    "pieced_ledger_discontinuities", "Seams in the histories of this cluster's tenants, by reason", ["reason"]
)
LEDGER_DISCREPANCIES = Gauge(
    "pieced_ledger_discrepancies", "What the latest `pieced ledger check` of this cluster found, by kind", ["kind"]
)
LEDGER_CHECKED = Gauge("pieced_ledger_checked_timestamp_seconds", "When the ledger was last checked")
INVOICES_PARKED = Gauge("pieced_invoices_parked", "Invoices that runs left out and that wait for somebody")
LEADER = Gauge("pieced_leader", "Whether this replica holds the Lease")
