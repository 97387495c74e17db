"""Usage from a LiteLLM proxy that is played by a server of its own: read by page, recorded once, never short."""

import io
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from pieced_billing.calendar import DEFAULT_ZONE, Month
from pieced_billing.errors import Unavailable
from pieced_billing.invoicing.load import drafts
from pieced_billing.invoicing.outcome import Outcome
from pieced_billing.invoicing.run import run
from pieced_billing.ledger.import_ import import_lines
from pieced_billing.ledger.verify import verify
from pieced_billing.parties.apply import apply_organisations
from pieced_billing.store.connections import Connection, connect
from pieced_billing.usage.collect import Collected, collect
from pieced_billing.usage.coverage import Stretch
from pieced_billing.usage.exchange import WrongRates, rates, record_rates
from pieced_billing.usage.json_api import JsonApi
from pieced_billing.usage.litellm import LiteLLM
from pieced_billing.usage.litellm_source import LlmSpend
from pieced_billing.usage.llm_spend import Conversion
from pieced_billing.usage.settings import litellm_settings
from pieced_billing.usage.watermarks import BeingCollected, NeverCollected, alone
from tests.commands import run_pieced
from tests.databases import Database
from tests.fault_points import points_of
from tests.litellm_double import KEY, LiteLLMDouble, litellm_double

MARCH = Month(2026, 3)
FIRST = datetime(2026, 2, 28, 23, tzinfo=UTC)  # of March, in Zurich
TENANTS = (("u1", "acme", "1"), ("u2", "acme-lab", "1"), ("u3", "bolt", "2"))
ORGS = b"""
orgs:
  - {org: "1", name: "Acme AG", country: CH, street: "A", postcode: "8001", town: "Bern"}
  - {org: "2", name: "Bolt AG", country: CH, street: "B", postcode: "8001", town: "Bern"}
"""


@pytest.fixture
def proxy() -> Iterator[LiteLLMDouble]:
    with litellm_double() as double:
        for _, tenant, org in TENANTS:
            double.key(tenant, org)
        yield double


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        at = "2026-03-01T00:00:00+01:00"
        bring(
            opened,
            *({"kind": "created", "uid": uid, "tenant": tenant, "org": org, "at": at} for uid, tenant, org in TENANTS),
        )
        with opened.transaction():
            apply_organisations(opened, ORGS, "orgs.yaml")
        yield opened


def bring(connection: Connection, *entries: dict[str, str]) -> None:
    with connection.transaction():
        import_lines(connection, io.BytesIO(b"\n".join(map(orjson.dumps, entries))))


def gather(
    connection: Connection, proxy: LiteLLMDouble, since: datetime | None = FIRST, **environment: str
) -> Collected:
    """One collection, with hardly a pause between attempts."""
    connection.rollback()
    settings = litellm_settings({"PIECED_LITELLM_URL": proxy.url, "PIECED_LITELLM_KEY": KEY} | environment)
    assert settings is not None
    conversion = Conversion(DEFAULT_ZONE, rates(connection)) if settings.currency == "USD" else None
    connection.rollback()
    api = JsonApi("LiteLLM", settings.url, settings.key, backoff_seconds=0.001)
    try:
        return collect(connection, LlmSpend(LiteLLM(api), settings, conversion), since)
    finally:
        api.close()


def recorded(connection: Connection) -> list[tuple[str, str, Decimal]]:
    query = "SELECT tenant_uid, usage_id, quantity FROM usage_records ORDER BY occurred_at, usage_id"
    found = connection.execute(query).fetchall()
    connection.rollback()
    return found


def run_march(connection: Connection) -> Outcome:
    total = Outcome()
    for _, outcome in run(connection, MARCH):
        total.add(outcome)
    return total


def warnings(connection: Connection, org: str) -> list[tuple[str, str | None, str]]:
    (draft,) = drafts(connection, MARCH, [org])
    return [
        (warning.code, warning.tenant, warning.text) for warning in draft.warnings if warning.code != "no_monthly_price"
    ]


def test_every_page_is_read_and_each_request_recorded_once(connection: Connection, proxy: LiteLLMDouble) -> None:
    for number in range(230):
        proxy.spend("acme", f"2026-03-02T10:{number % 60:02}:00.5Z", 0.1, f"a{number:03}")
    proxy.spend("acme-lab", "2026-03-02T10:00:00Z", 0.25)  # whose alias begins with the other's
    proxy.spend("unknown", "2026-03-02T10:00:00Z", 7)
    proxy.spend("bolt", "2026-02-28T22:59:59Z", 7)  # before it counts
    first = gather(connection, proxy)
    assert (first.tenants, first.records, first.repeats, first.failures, first.warnings) == (3, 231, 0, [], [])
    assert sum(quantity for uid, _, quantity in recorded(connection) if uid == "u1") == 23
    assert [row[1:] for row in recorded(connection) if row[0] == "u2"] == [("chatcmpl-230", Decimal("0.25"))]
    again = gather(connection, proxy)
    assert (again.records, again.repeats, len(recorded(connection))) == (0, 231, 231)
    assert verify(connection).found == 0


def test_it_goes_on_from_its_watermark_and_finds_what_came_late(connection: Connection, proxy: LiteLLMDouble) -> None:
    with pytest.raises(NeverCollected):
        gather(connection, proxy, None)
    gather(connection, proxy)
    connection.execute("UPDATE usage_coverage SET collected_until = '2026-03-05T12:00:00Z'")
    connection.commit()
    proxy.spend("acme", "2026-03-05T09:59:00Z", 1, "too late")
    proxy.spend("acme", "2026-03-05T10:01:00Z", 1, "late")
    assert gather(connection, proxy, None).records == 1
    assert gather(connection, proxy, FIRST).records == 1
    assert [row[1] for row in recorded(connection)] == ["too late", "late"]


def test_spend_belongs_to_the_uid_that_was_alive(connection: Connection, proxy: LiteLLMDouble) -> None:
    bring(
        connection,
        {"kind": "deleted", "uid": "u1", "at": "2026-03-10T00:00:00Z"},
        {"kind": "created", "uid": "u9", "tenant": "acme", "org": "2", "at": "2026-03-12T00:00:00Z"},
    )
    for day in ("09", "11", "12"):
        proxy.spend("acme", f"2026-03-{day}T00:00:00Z", 1, day)
    gather(connection, proxy)
    assert [row[:2] for row in recorded(connection)] == [("u1", "09"), ("u1", "11"), ("u9", "12")]


def test_a_key_is_named_by_the_template(connection: Connection, proxy: LiteLLMDouble) -> None:
    proxy.spend("2/bolt", "2026-03-02T10:00:00Z", 1)
    gather(connection, proxy, PIECED_LITELLM_KEY_ALIAS="{org}/{tenant}")
    assert [row[0] for row in recorded(connection)] == ["u3"]


def test_what_is_too_much_to_be_counted_is_read_by_halves(connection: Connection, proxy: LiteLLMDouble) -> None:
    proxy.counts_up_to = 10
    for number in range(50):
        proxy.spend("acme", f"2026-03-02T10:{number:02}:00Z", 1)
    assert gather(connection, proxy).records == 50


def test_requests_are_repeated_until_they_are_answered(connection: Connection, proxy: LiteLLMDouble) -> None:
    proxy.spend("acme", "2026-03-02T10:00:00Z", 1)
    proxy.failures = [503, 429, 500, 502]
    assert gather(connection, proxy).failures == []
    assert len(recorded(connection)) == 1


class TestHeld:
    """What a source did not tell keeps the invoices concerned back, and no others."""

    def test_a_source_that_is_down_holds_the_invoices_until_it_is_back(
        self, connection: Connection, proxy: LiteLLMDouble
    ) -> None:
        gather(connection, proxy, datetime(2026, 3, 1, tzinfo=UTC))
        proxy.spend("bolt", "2026-02-28T23:30:00Z", 100)
        proxy.down = True
        failed = gather(connection, proxy)
        assert {reason for _, reason in failed.failures} == {"LiteLLM answers /key/list with HTTP 500"}
        assert [(one.org, one.code) for one in run_march(connection).parked] == [
            ("1", "usage_source_unavailable"),
            ("2", "usage_source_unavailable"),
        ]
        assert warnings(connection, "2") == [
            (
                "usage_source_unavailable",
                "bolt",
                "Usage of litellm is missing: LiteLLM answers /key/list with HTTP 500.",
            )
        ]
        proxy.down = False
        assert gather(connection, proxy).failures == []
        outcome = run_march(connection)
        assert (len(outcome.numbers), outcome.empty, outcome.parked) == (1, 1, [])

    def test_a_tenant_that_was_never_collected_holds_its_organisation(
        self, connection: Connection, proxy: LiteLLMDouble
    ) -> None:
        gather(connection, proxy)
        bring(
            connection,
            {"kind": "created", "uid": "u4", "tenant": "cord", "org": "2", "at": "2026-03-31T21:00:00Z"},
            {"kind": "created", "uid": "u5", "tenant": "dune", "org": "1", "at": "2026-03-31T22:00:00Z"},  # in April
        )
        (parked,) = run_march(connection).parked
        assert (parked.org, parked.code) == ("2", "usage_source_unavailable")
        assert parked.reason == "cord: Usage of litellm is missing: it was not collected to the end."

    def test_a_missing_rate_holds_the_invoices_of_who_spent_on_that_day(
        self, connection: Connection, proxy: LiteLLMDouble
    ) -> None:
        proxy.spend("acme", "2026-03-02T10:00:00Z", 1.5)
        proxy.spend("acme", "2026-03-02T23:00:00Z", 2)  # the 3rd in Zurich
        proxy.spend("bolt", "2026-03-02T10:00:00Z", 3)
        record_rates(connection, io.BytesIO(b"day,chf\n2026-03-02,0.88\n"))
        connection.commit()
        failed = gather(connection, proxy, PIECED_LITELLM_CURRENCY="USD")
        assert failed.failures == [("acme", "there is no rate of USD for 2026-03-03")]
        outcome = run_march(connection)
        assert ([one.org for one in outcome.parked], len(outcome.numbers)) == (["1"], 1)
        record_rates(connection, io.BytesIO(b"day,chf\n2026-03-02,0.880\n2026-03-03,0.9\n"))
        connection.commit()
        assert gather(connection, proxy, None, PIECED_LITELLM_CURRENCY="USD").failures == []
        assert [row[2] for row in recorded(connection)] == [Decimal("1.32"), Decimal("2.64"), Decimal("1.8")]
        assert run_march(connection).parked == []

    def test_a_request_that_cost_something_else_before_fails_its_tenant_alone(
        self, connection: Connection, proxy: LiteLLMDouble
    ) -> None:
        proxy.spend("acme", "2026-03-02T10:00:00Z", 1, "x")
        gather(connection, proxy)
        proxy.logs[0]["spend"] = 2
        proxy.spend("bolt", "2026-03-02T10:00:00Z", 3)
        again = gather(connection, proxy)
        (tenant, reason) = again.failures[0]
        assert (tenant, len(again.failures), again.records) == ("acme", 1, 1)
        assert reason.startswith("usage x of source litellm is recorded with other content: quantity 1.0")

    def test_nothing_is_held_before_the_source_counts(self, connection: Connection, proxy: LiteLLMDouble) -> None:
        gather(connection, proxy, datetime(2026, 4, 1, tzinfo=UTC))
        assert run_march(connection).parked == []


def test_tenants_without_a_key_or_in_no_team_are_warned_of(connection: Connection, proxy: LiteLLMDouble) -> None:
    proxy.keys = []
    proxy.key("acme-lab", None)
    proxy.key("bolt", "another")
    assert len(gather(connection, proxy).warnings) == 3
    assert warnings(connection, "1") == [
        ("tenant_without_llm_key", "acme", "acme has no key acme in LiteLLM."),
        ("tenant_without_llm_team", "acme-lab", "The key acme-lab of acme-lab is in no team of LiteLLM."),
    ]
    assert warnings(connection, "2") == [
        ("tenant_without_llm_team", "bolt", "The key bolt of bolt is in team another of LiteLLM, not in 2.")
    ]
    proxy.teams["another"] = "2"  # the organisation is the team's alias
    assert len(gather(connection, proxy).warnings) == 2
    assert run_march(connection).parked == []


def test_keys_in_a_team_that_are_no_tenants_are_named(connection: Connection, proxy: LiteLLMDouble) -> None:
    proxy.key("bolt-2", "2")
    proxy.key("our own", None)
    assert gather(connection, proxy).unclaimed == ["bolt-2"]


def test_a_rate_stays_as_it_is(connection: Connection) -> None:
    assert record_rates(connection, io.BytesIO(b"day,chf\n2026-03-02,0.88\n2026-03-02,0.88\n")) == 1
    for wrong in (b"2026-03-02,0.89", b"2026-02-30,1", b"2026-03-03,0", b"2026-03-03,1,2", b"\xff"):
        with pytest.raises(WrongRates):
            record_rates(connection, io.BytesIO(b"day,chf\n" + wrong))
    with pytest.raises(WrongRates):
        record_rates(connection, io.BytesIO(b"2026-03-03,0.88\n"))


def test_two_do_not_collect_from_one_source_at_once(
    database: Database, connection: Connection, proxy: LiteLLMDouble
) -> None:
    with connect(database.url) as other, alone(other, "litellm"), pytest.raises(BeingCollected):
        gather(connection, proxy)
    assert gather(connection, proxy).failures == []


def test_rows_that_go_missing_between_pages_are_an_outage(proxy: LiteLLMDouble) -> None:
    proxy.spend("acme", "2026-03-02T10:00:00Z", 1, "same")
    proxy.spend("acme", "2026-03-02T10:00:00Z", 1, "same")
    api = JsonApi("LiteLLM", proxy.url, KEY)
    with pytest.raises(Unavailable, match="change while they are read"):
        LiteLLM(api).spend_logs("acme", Stretch(0, 2 * 10**15))
    api.close()


class TestCommand:
    """`pieced usage collect` says what it did, and the key nowhere."""

    def test_what_it_did(self, database: Database, connection: Connection, proxy: LiteLLMDouble) -> None:
        connection.close()
        proxy.spend("acme", "2026-03-31T21:59:59Z", 1)
        proxy.spend("acme", "2026-03-31T22:00:00Z", 1)  # April in Zurich
        proxy.key("stray", "1")
        env = database.env() | {"PIECED_LITELLM_URL": proxy.url, "PIECED_LITELLM_KEY": KEY}
        done = run_pieced("usage", "collect", "--month", "2026-03", "-o", "json", env=env)
        (document,) = orjson.loads(done.stdout)
        assert (document["source"], document["records"], document["failures"]) == ("litellm", 1, [])
        assert done.stderr == "pieced: litellm: stray is no tenant's; what is used there is on no bill.\n"

    @pytest.mark.parametrize("point", points_of(__file__))
    def test_a_collection_that_dies_is_made_good_by_the_next(
        self, database: Database, connection: Connection, proxy: LiteLLMDouble, point: str
    ) -> None:
        proxy.spend("acme", "2026-03-02T10:00:00Z", 1, "x")
        env = database.env() | {"PIECED_LITELLM_URL": proxy.url, "PIECED_LITELLM_KEY": KEY, "PIECED_FAULT": point}
        died = run_pieced("usage", "collect", "--month", "2026-03", env=env, check=False)
        assert died.returncode == -signal.SIGKILL
        held = ["usage_source_unavailable"] * 2 if point == "collect.after_records" else []
        assert [one.code for one in run_march(connection).parked] == held
        assert gather(connection, proxy, None).failures == []
        assert [row[1] for row in recorded(connection)] == ["x"]
        assert run_march(connection).parked == []
        assert verify(connection).found == 0

    def test_a_wrong_key_is_not_repeated(
        self, database: Database, connection: Connection, proxy: LiteLLMDouble
    ) -> None:
        connection.close()
        env = database.env() | {"PIECED_LITELLM_URL": proxy.url, "PIECED_LITELLM_KEY": "sk-s3cr3t"}
        done = run_pieced("usage", "collect", "--since", "2026-03-01", env=env, check=False)
        assert done.returncode == 1
        assert "acme, acme-lab, bolt: LiteLLM does not accept our key (HTTP 401 for /key/list)." in done.stderr
        assert "s3cr3t" not in done.stdout + done.stderr
