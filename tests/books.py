"""A database with something to bill: prices, organisations and tenants, written as a test needs them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from pieced_billing.calendar import Month
from pieced_billing.documents.issuers import apply_issuers
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.run import run
from pieced_billing.invoicing.wish import Wish
from pieced_billing.parties.apply import Applied, apply_organisations
from pieced_billing.prices.apply import apply_prices
from pieced_billing.prices.entries import PriceEntry
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings

MARCH, APRIL = Month(2026, 3), Month(2026, 4)
PRICES = {
    "platform": [{"tenant_setup_fee_chf": "99.00", "tenant_monthly_fee_chf": "31.00"}],
    "packages": {"search": [{"daily_price_chf": "0.10", "setup_fee_chf": "5.00"}]},
}


ISSUER = {
    "issuer": "default",
    "name": "Pieced AG",
    "postcode": "8004",
    "town": "Zürich",
    "country": "CH",
    "iban": "CH44 3199 9123 0008 8901 2",
}


def describe_issuer(connection: Connection, **fields: Any) -> int:
    """Apply a file of one issuing entity; returns how many versions were recorded."""
    with connection.transaction():
        content = yaml.safe_dump({"issuers": [ISSUER | fields]}).encode()
        return len(apply_issuers(connection, content, "issuers.yaml"))


def set_prices(connection: Connection, document: Mapping[str, Any] = PRICES) -> list[PriceEntry]:
    """Apply a file of prices."""
    with connection.transaction():
        return apply_prices(connection, yaml.safe_dump(dict(document)).encode(), "prices.yaml").added


def set_organisations(connection: Connection, *entries: Mapping[str, Any]) -> Applied:
    """Apply a file of organisations."""
    with connection.transaction():
        content = yaml.safe_dump({"orgs": [dict(entry) for entry in entries]}).encode()
        return apply_organisations(connection, content, "orgs.yaml")


def organisation(org: str, **fields: Any) -> dict[str, Any]:
    """An organisation in Zürich."""
    address = {"name": f"Customer {org}", "street": "Bahnhofstrasse", "postcode": "8001", "town": "Zürich"}
    return {"org": org, "country": "CH", **address, **fields}


def add_tenant(
    connection: Connection,
    org: str,
    tenant: str,
    created_at: str = "2026-03-01T00:00:00+01:00",
    enabled: Mapping[str, str] | None = None,
    usage: Sequence[tuple[str, str, str | None]] = (),
) -> str:
    """A tenant with packages enabled at instants, and LLM spend (quantity, instant, corrected id); returns its UID."""
    uid = f"uid-of-{tenant}"
    with connection.transaction():
        connection.execute(
            "INSERT INTO tenant_billing_lifecycle (tenant_uid, tenant_name, zitadel_org_id, created_at, last_seq)"
            " VALUES (%s, %s, %s, %s, 1)",
            [uid, tenant, org, datetime.fromisoformat(created_at)],
        )
        connection.execute(
            "INSERT INTO tenant_lifecycle_events"
            " (tenant_uid, tenant_name, zitadel_org_id, seq, event_kind, occurred_at, quality, source)"
            " VALUES (%s, %s, %s, 1, 'created', %s, 'exact', 'import')",
            [uid, tenant, org, datetime.fromisoformat(created_at)],
        )
        for seq, (package, at) in enumerate((enabled or {}).items(), start=2):
            connection.execute(
                "INSERT INTO tenant_skill_events"
                " (tenant_uid, tenant_name, zitadel_org_id, seq, skill_id, event_kind, occurred_at, quality, source)"
                " VALUES (%s, %s, %s, %s, %s, 'enabled', %s, 'exact', 'import')",
                [uid, tenant, org, seq, package, datetime.fromisoformat(at)],
            )
        for quantity, at, corrects in usage:
            connection.execute(
                "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at, corrects)"
                " VALUES ('import', %s, %s, 'llm_spend', %s, %s, %s)",
                [f"{uid}-{at}-{quantity}", uid, quantity, datetime.fromisoformat(at), corrects],
            )
    return uid


def add_customers(connection: Connection, count: int) -> list[str]:
    """So many configured organisations with a tenant each, and prices; returns their ids, ascending."""
    set_prices(connection)
    orgs = [f"org-{number:04}" for number in range(1, count + 1)]
    set_organisations(connection, *(organisation(org) for org in orgs))
    for org in orgs:
        add_tenant(connection, org, f"tenant-of-{org}")
    return orgs


def run_invoices(connection: Connection, month: Month = MARCH, **wish: Any) -> Outcome:
    """A whole invoice run; the fields of a Wish by name."""
    total = Outcome()
    for _, outcome in run(connection, month, Wish(**wish)):
        total.add(outcome)
    return total


def first_numbers(connection: Connection, count: int) -> list[str]:
    """The first so many numbers of this year of issue."""
    with connection.transaction():
        year = load_settings(connection).today.year
    return [f"INV-{year}-{number:06}" for number in range(1, count + 1)]


def numbers(connection: Connection) -> list[str]:
    """The numbers of all invoices, ascending."""
    with connection.transaction():
        return [row[0] for row in connection.execute("SELECT number FROM invoices ORDER BY number")]


def add_many_customers(connection: Connection, count: int) -> None:
    """So many configured organisations with a tenant each, in bulk, and prices."""
    set_prices(connection)
    series = "FROM generate_series(1, %s) AS number, to_char(number, '\"org-\"FM0000000') AS org"
    with connection.transaction():
        connection.execute(
            f"INSERT INTO org_billing_config (zitadel_org_id, name, country) SELECT org, org, 'CH' {series}", [count]
        )
        connection.execute(
            "INSERT INTO tenant_billing_lifecycle (tenant_uid, tenant_name, zitadel_org_id, created_at)"
            f" SELECT 'uid-of-' || org, 'tenant-of-' || org, org, '2026-03-01T00:00:00+01:00' {series}",
            [count],
        )
