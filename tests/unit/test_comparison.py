"""What is ordered, what the ledger says and what runs, compared: every disagreement is named, with what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pieced_billing.ledger.observation import LedgerRow
from pieced_operator.comparison import Cluster, Ordered, Running, compare

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
ACME = Ordered("u1", "acme", taken_on=True, leaving=False, suspended=False, packages=frozenset({"search"}))
ROW = LedgerRow("c", "u1", "acme", "310001", NINE, last_seq=2, packages=frozenset({"search"}))
AT_WORK = (Running("acme", "u1", "assistant"), Running("acme", "", "package-search"))
AGREED = Cluster("c", (ACME,), frozenset({"search", "telegram"}), AT_WORK)


def found(cluster: Cluster, *rows: LedgerRow) -> list[tuple[str, str, str]]:
    discrepancies = list(compare(cluster, {row.uid: row for row in rows}))
    assert all(one.to_do for one in discrepancies)
    return [(str(one.kind), one.tenant, one.what) for one in discrepancies]


def test_what_agrees_is_no_finding() -> None:
    elsewhere = replace(ROW, uid="u9", cluster_id="another")
    ended = replace(ROW, uid="u0", deleted_at=NINE)
    assert found(AGREED, ROW, elsewhere, ended) == []


def test_a_tenant_that_nobody_took_on_and_one_that_has_just_left_are_no_finding() -> None:
    assert found(replace(AGREED, tenants=(replace(ACME, taken_on=False),), running=())) == []
    leaving = replace(ACME, leaving=True, suspended=True)
    assert found(replace(AGREED, tenants=(leaving,)), replace(ROW, deleted_at=NINE, suspended=True)) == []


def test_of_orders_that_do_not_fit_the_schema_those_before_count() -> None:
    refused = replace(ACME, suspended=True, packages=frozenset({"telegram"}), served=False)
    assert found(replace(AGREED, tenants=(refused,)), ROW) == []


@pytest.mark.parametrize(
    ("tenant", "row", "kind", "what"),
    [
        (ACME, None, "running_not_recorded", "was taken on by the operator and is not in the ledger: it is not billed"),
        (
            ACME,
            replace(ROW, deleted_at=NINE + timedelta(hours=1)),
            "running_not_recorded",
            "exists again after its end in the ledger, 2026-03-01T10:00:00+00:00: it is not billed",
        ),
        (None, ROW, "recorded_absent", "is alive in the ledger, and billed, and the cluster does not have it"),
        (ACME, replace(ROW, suspended=True), "recorded_otherwise", "the ledger lacks that it was resumed"),
        (
            replace(ACME, packages=frozenset({"telegram"}), leaving=True),
            ROW,
            "recorded_otherwise",
            "the ledger lacks its deletion, that telegram is enabled, that search is disabled",
        ),
        (
            replace(ACME, packages=frozenset({"search", "maps"})),
            replace(ROW, packages=frozenset({"search", "maps"})),
            "not_in_catalogue",
            "maps is enabled, and billed, and the catalogue does not have it",
        ),
    ],
)
def test_what_is_ordered_and_what_is_recorded(
    tenant: Ordered | None, row: LedgerRow | None, kind: str, what: str
) -> None:
    cluster = replace(AGREED, tenants=() if tenant is None else (tenant,), running=())
    assert found(cluster, *([] if row is None else [row])) == [(kind, "acme", what)]


def test_a_package_that_the_catalogue_lacks_and_nobody_bills_is_the_operators_condition() -> None:
    assert found(replace(AGREED, tenants=(replace(ACME, packages=frozenset({"search", "maps"})),)), ROW) == []


def test_a_suspended_tenant_that_runs() -> None:
    cluster = replace(AGREED, tenants=(replace(ACME, suspended=True),))
    assert found(cluster, replace(ROW, suspended=True)) == [
        ("suspended_running", "acme", "is suspended, and not billed, and assistant, package-search run")
    ]


def test_a_package_that_runs_and_is_not_enabled() -> None:
    cluster = replace(AGREED, running=(*AT_WORK, Running("acme", "u1", "package-telegram")))
    assert found(cluster, ROW) == [
        ("running_not_recorded", "acme", "package-telegram runs, and no package is enabled that would")
    ]


def test_what_runs_for_a_tenant_that_is_no_more() -> None:
    cluster = replace(AGREED, running=(*AT_WORK, Running("bolt", "u7", "assistant")))
    assert found(cluster, ROW) == [
        ("running_not_recorded", "bolt", "assistant runs in tenant-bolt, and there is no such tenant")
    ]
