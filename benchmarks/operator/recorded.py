"""What the ledger has of the changes that were made, and since when, by the commits of its events."""

from dataclasses import dataclass

import psycopg

from benchmarks.operator.load import Answered, Wanted


@dataclass(frozen=True)
class Recorded:
    """Of some changes: how long each took from its answer to the commit of its event, sorted; and what has none."""

    lags: list[float]
    last_commit_at: float
    without_event: int

    def percentile_ms(self, percent: int) -> float:
        """A percentile of the lags; 100 is the longest."""
        return self.lags[min(len(self.lags) - 1, len(self.lags) * percent // 100)] * 1000


def tenants(url: str) -> int:
    """How many tenants the ledger knows."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM tenant_billing_lifecycle").fetchone()
    assert row is not None
    return int(row[0])


def behind(url: str, wanted: Wanted) -> int:
    """How many tenants have other packages in the ledger than they have since their last change."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """SELECT count(*) FROM unnest(%s::text[], %s::text[]) AS changed (uid, wanted)
               LEFT JOIN tenant_billing_lifecycle ON tenant_uid = uid
               WHERE array_to_string(packages, ',') IS DISTINCT FROM wanted""",
            [list(wanted), [",".join(packages) for packages in wanted.values()]],
        ).fetchone()
    assert row is not None
    return int(row[0])


def recorded(url: str, answered: Answered) -> Recorded:
    """How these changes were recorded; the clocks of API server and database are one."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """SELECT tenant_uid, generation, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
               FROM tenant_skill_events WHERE tenant_uid = ANY(%s)""",
            [list({uid for uid, _ in answered})],
        ).fetchall()
    committed_at = {(uid, generation): at for uid, generation, at in rows}
    ours = answered.keys() & committed_at.keys()
    lags = sorted(max(0.0, committed_at[change] - answered[change]) for change in ours)
    return Recorded(lags, max(committed_at[change] for change in ours), len(answered) - len(ours))
