"""Facts about one tenant of `books.add_customers` that come late: recorded when a test says so."""

from datetime import datetime

from pieced_billing.calendar import Month
from pieced_billing.store.connections import Connection

MAY = Month(2026, 5)
TENANT, ORG = "uid-of-tenant-of-org-0001", "org-0001"


def enable(connection: Connection, kind: str, at: str, seq: int) -> None:
    """Package `search` of the tenant is enabled or disabled, recorded now."""
    connection.execute(
        "INSERT INTO tenant_skill_events"
        " (tenant_uid, tenant_name, zitadel_org_id, seq, skill_id, event_kind, occurred_at, quality, source)"
        " VALUES (%s, 'tenant-of-org-0001', %s, %s, 'search', %s, %s, 'exact', 'import')",
        [TENANT, ORG, seq, kind, datetime.fromisoformat(at)],
    )


def use(connection: Connection, quantity: str, at: str, corrects: str | None = None) -> None:
    """The tenant spent so much on language models, recorded now."""
    connection.execute(
        "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at, corrects)"
        " VALUES ('import', %s, %s, 'llm_spend', %s, %s, %s)",
        [f"{at} {quantity}", TENANT, quantity, datetime.fromisoformat(at), corrects],
    )
