"""What a finalised invoice stands on is stored with it, and is what was true at one link of every chain."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
import psycopg
import pytest

from pieced_billing.invoicing.bills import Bills
from pieced_billing.invoicing.corrections import credit_invoice
from pieced_billing.invoicing.credit import Wanted
from pieced_billing.invoicing.facts import load_facts
from pieced_billing.invoicing.month_load import load_billing_month
from pieced_billing.store.connections import Connection, connect
from tests.books import MARCH, add_customers, add_tenant, run_invoices
from tests.databases import Database

ORG, UID = "org-0001", "uid-of-tenant-of-org-0001"


def use(connection: Connection, usage_id: str, uid: str = UID) -> None:
    """The tenant spent CHF 2.50 in March, recorded now."""
    connection.execute(
        "INSERT INTO usage_records (source, usage_id, tenant_uid, meter, quantity, occurred_at)"
        " VALUES ('import', %s, %s, 'llm_spend', 2.50, '2026-03-05T10:00:00Z')",
        [usage_id, uid],
    )


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_an_invoice_stores_what_it_stands_on_and_a_credit_note_the_hash_of_what_was_issued(
    connection: Connection,
) -> None:
    add_customers(connection, 1)
    use(connection, "a")
    (number,) = run_invoices(connection).numbers
    stands_on = one(connection, "SELECT stands_on FROM invoices")
    chain = connection.execute("SELECT length, encode(head, 'hex') FROM ledger_chains").fetchone()
    tenant = stands_on["tenants"][UID]
    assert (tenant["links"], tenant["chain"]) == chain == (2, chain[1] if chain else None)
    assert tenant["last_seq"] == 1
    assert tenant["usage"] == sha256(b"llm_spend 5 2.50\n").hexdigest()
    assert stands_on["prices"]["last"] == one(connection, "SELECT max(id) FROM price_versions")
    assert stands_on["terms"]["last"] == one(connection, "SELECT max(id) FROM org_terms_versions")
    assert (stands_on["zone"], stands_on["billing_start"]) == ("Europe/Zurich", None)
    credit_invoice(connection, number, Wanted(), "wrong")
    assert connection.execute("SELECT length(output_hash), stands_on IS NULL FROM invoices ORDER BY id").fetchall() == [
        (32, False),
        (32, True),
    ]


def test_the_hash_of_a_document_is_that_of_its_row(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row: Any = cursor.execute(
            "SELECT *, recipient::text AS recipient, content::text AS content, stands_on::text AS stands_on"
            " FROM invoices"
        ).fetchone()
    order = [
        *("id", "number", "issuing_entity", "series", "kind", "zitadel_org_id", "period_start", "revision", "currency"),
        *("vat_posture", "language", "issued_on", "due_on", "net", "vat", "gross", "recipient", "content"),
        *("rules_version", "credits", "completes", "reason", "finalised_at", "stands_on"),
    ]
    assert {*order, "output_hash"} == set(row)
    assert row["output_hash"] == sha256(orjson.dumps([row[name] for name in order], default=str)).digest()


class RecordedMeanwhile(dict[str, Bills]):
    """No bills; while a run asks for them, somebody else records facts about two tenants."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.asked = 0

    def __contains__(self, org: object) -> bool:
        self.asked += 1
        if self.asked == 1:
            with connect(self._url) as other:
                use(other, "meanwhile")
                other.commit()
                add_tenant(other, ORG, "newcomer", "2026-03-10T00:00:00+01:00")
        return super().__contains__(org)


def test_what_is_recorded_while_facts_are_read_is_in_all_of_them(connection: Connection, database: Database) -> None:
    orgs = add_customers(connection, 2)
    with connection.transaction():
        facts = load_facts(connection, load_billing_month(connection, MARCH), orgs, {}, RecordedMeanwhile(database.url))
    lengths: dict[str, int] = dict(connection.execute("SELECT tenant_uid, length FROM ledger_chains").fetchall())
    assert {uid: end.links for uid, end in facts.ends.items()} == lengths
    assert lengths[UID] == 2
    assert [len(tenants) for tenants in facts.tenants.values()] == [2, 1]
    assert sum(len(tenant.usage) for tenant in facts.tenants[ORG]) == 1


def test_no_document_is_written_without_its_proof(connection: Connection) -> None:
    add_customers(connection, 1)
    run_invoices(connection)
    row = one(connection, "SELECT to_jsonb(invoices) FROM invoices") | {"id": 99, "number": "X", "revision": 2}
    for missing in ("output_hash", "stands_on"):
        with pytest.raises(psycopg.errors.CheckViolation, match="invoices_proof"):
            connection.execute(
                "INSERT INTO invoices SELECT * FROM json_populate_record(NULL::invoices, %s)",
                [orjson.dumps(row | {missing: None}, default=datetime.isoformat).decode()],
            )
