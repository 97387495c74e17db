"""Where usage is collected from, how far, and by which rates foreign money becomes francs.

Usage itself is in usage_records, a link of the ledger like any other. What is here says how complete it is.
"""

from pieced_billing.store.migrations.sql import run

revision = "0013_usage_sources"
down_revision = "0012_credit_notes"
branch_labels = None
depends_on = None

SOURCES = """
CREATE TABLE usage_sources (
    source text PRIMARY KEY CHECK (source <> ''),
    since  timestamptz NOT NULL CHECK (isfinite(since)),
    until  timestamptz CHECK (until >= since)
);
COMMENT ON TABLE usage_sources IS 'sources without which no usage is complete, from when on and to when';

CREATE TABLE usage_coverage (
    source          text NOT NULL REFERENCES usage_sources,
    tenant_uid      text NOT NULL,
    collected_from  timestamptz,
    collected_until timestamptz,
    failure         text,
    warning_code    text,
    warning_text    text,
    read_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, tenant_uid),
    CHECK ((collected_from IS NULL) = (collected_until IS NULL) AND collected_from <= collected_until),
    CHECK ((warning_code IS NULL) = (warning_text IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE usage_coverage IS 'per source and tenant UID: the stretch of which all usage is recorded';
COMMENT ON COLUMN usage_coverage.failure IS 'why the last reading stopped short; null where it did not';
"""

RATES = """
CREATE TABLE exchange_rates (
    currency    text NOT NULL CHECK (currency = 'USD'),
    day         date NOT NULL CHECK (isfinite(day)),
    chf         numeric NOT NULL CHECK (chf > 0 AND chf < 'Infinity'),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (currency, day)
);
COMMENT ON COLUMN exchange_rates.chf IS 'what one unit of the currency is worth in CHF, all that local day';
CREATE TRIGGER exchange_rates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rates
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""


def upgrade() -> None:
    run(SOURCES + RATES)
