"""An organisation whose row in org_billing_config says nothing yet, as the portal makes it when it first reads one."""

from collections.abc import Iterator

import pytest

from pieced_billing.invoicing.load import drafts
from pieced_billing.store.connections import Connection, connect
from tests.books import MARCH, add_tenant, organisation, run_invoices, set_organisations, set_prices
from tests.databases import Database

pytestmark = pytest.mark.both_servers

MADE_BY_THE_PORTAL = "INSERT INTO org_billing_config (zitadel_org_id) VALUES ('310001')"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A database in which an organisation has a tenant and an empty row."""
    with connect(database.url) as opened:
        opened.autocommit = True
        set_prices(opened)
        add_tenant(opened, "310001", "acme")
        opened.execute(MADE_BY_THE_PORTAL)
        yield opened


def terms(connection: Connection) -> list[tuple[object, ...]]:
    """Field, value and first day of what was recorded, after the two empty versions of the portal's row."""
    return connection.execute("SELECT field, value, valid_from FROM org_terms_versions ORDER BY id OFFSET 2").fetchall()


def warned(connection: Connection) -> list[str]:
    (draft,) = drafts(connection, MARCH, ["310001"])
    return [warning.code for warning in draft.warnings]


def test_rule_14_without_a_country_it_is_warned_of_and_parked(connection: Connection) -> None:
    assert warned(connection) == ["org_without_configuration"]
    outcome = run_invoices(connection)
    assert (outcome.numbers, [parked.code for parked in outcome.parked]) == ([], ["org_without_configuration"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE org_billing_config SET country = 'DE', name = 'Acme'",
        """INSERT INTO org_billing_config (zitadel_org_id, country) VALUES ('310001', 'DE')
           ON CONFLICT (zitadel_org_id) DO UPDATE SET country = EXCLUDED.country""",
    ],
)
def test_rule_7_its_first_country_holds_since_ever(connection: Connection, statement: str) -> None:
    connection.execute("UPDATE org_billing_config SET name = 'Acme'")
    connection.execute(statement)
    assert terms(connection) == [("country", "DE", None)]
    assert warned(connection) == []
    assert len(run_invoices(connection).numbers) == 1
    invoiced = "SELECT vat_posture, recipient ->> 'country' FROM invoices"
    assert connection.execute(invoiced).fetchall() == [("export", "DE")]


def test_rule_7_a_posture_before_or_with_the_first_country_holds_since_ever_too(connection: Connection) -> None:
    connection.execute("UPDATE org_billing_config SET vat_posture = 'export'")
    connection.execute("UPDATE org_billing_config SET vat_posture = 'exempt', country = 'CH'")
    assert terms(connection) == [
        ("vat_posture", "export", None),
        ("country", "CH", None),
        ("vat_posture", "exempt", None),
    ]


def test_rule_7_a_second_country_holds_from_today(connection: Connection) -> None:
    connection.execute("UPDATE org_billing_config SET country = 'CH'")
    connection.execute("UPDATE org_billing_config SET country = 'DE', vat_posture = 'exempt'")
    today = connection.execute("SELECT pieced_today()").fetchall()[0][0]
    assert terms(connection)[1:] == [("country", "DE", today), ("vat_posture", "exempt", today)]


def test_a_file_fills_the_row(connection: Connection) -> None:
    set_organisations(connection, organisation("310001"))
    assert terms(connection) == [("country", "CH", None)]
    assert len(run_invoices(connection).numbers) == 1


def test_a_country_that_was_taken_away_parks_again(connection: Connection) -> None:
    set_organisations(connection, organisation("310001"))
    connection.execute("UPDATE org_billing_config SET country = NULL")
    assert warned(connection) == ["org_without_configuration"]
    assert [parked.code for parked in run_invoices(connection).parked] == ["org_without_configuration"]
