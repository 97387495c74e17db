"""Prices and organisations: the tables that people edit, and every version of what decides money.

`platform_pricing`, `skill_pricing` and `org_billing_config` are for editing, by SQL or by the apply commands. Triggers
keep each change as a version from the local day on which it is made (rules 6 to 8 and 14); rating reads versions only.
Versions are append-only, and one that would alter a finalised day is refused (rule 9), whoever records it.

All changes of prices, terms and settings take one lock, which an invoice run holds in shared mode: none crosses a run.
"""

from pieced_billing.store.migrations.sql import run

revision = "0003_prices_and_parties"
down_revision = "0002_invoices"
branch_labels = None
depends_on = None

PRICES = """
CREATE TABLE platform_pricing (
    id                     integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    tenant_setup_fee_chf   numeric(10, 2) NOT NULL DEFAULT 0,
    tenant_monthly_fee_chf numeric(10, 2) NOT NULL DEFAULT 0,
    threema_message_chf    numeric(10, 5) NOT NULL DEFAULT 0,
    vat_rate_chli          numeric(5, 2) NOT NULL DEFAULT 8.10,
    updated_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (tenant_setup_fee_chf >= 0 AND tenant_setup_fee_chf < 'NaN'),
    CHECK (tenant_monthly_fee_chf >= 0 AND tenant_monthly_fee_chf < 'NaN'),
    CHECK (threema_message_chf >= 0 AND threema_message_chf < 'NaN'),
    CHECK (vat_rate_chli >= 0 AND vat_rate_chli <= 100)
);
INSERT INTO platform_pricing DEFAULT VALUES;

CREATE TABLE skill_pricing (
    skill_id        text PRIMARY KEY CHECK (skill_id <> ''),
    daily_price_chf numeric(10, 5) CHECK (daily_price_chf >= 0 AND daily_price_chf < 'NaN'),
    setup_fee_chf   numeric(10, 2) CHECK (setup_fee_chf >= 0 AND setup_fee_chf < 'NaN'),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE price_versions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    package     text CHECK (package <> ''),
    field       text NOT NULL,
    value       numeric CHECK (value >= 0 AND value < 'Infinity'),
    valid_from  date CHECK (isfinite(valid_from)),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user,
    CHECK (CASE WHEN package IS NULL
           THEN field IN ('tenant_setup_fee_chf', 'tenant_monthly_fee_chf', 'threema_message_chf', 'vat_rate_chli')
           ELSE field IN ('daily_price_chf', 'setup_fee_chf') END),
    CHECK (package IS NOT NULL OR value IS NOT NULL),
    CHECK (value = round(value, CASE WHEN field IN ('threema_message_chf', 'daily_price_chf') THEN 5 ELSE 2 END)),
    CONSTRAINT price_versions_vat_has_a_date CHECK (field <> 'vat_rate_chli' OR valid_from IS NOT NULL),
    CONSTRAINT price_versions_vat_is_a_percentage CHECK (field <> 'vat_rate_chli' OR value <= 100)
);
COMMENT ON TABLE price_versions IS 'every value ever of a price; rating reads these and nothing else';
COMMENT ON COLUMN price_versions.package IS 'null: a price of the platform';
COMMENT ON COLUMN price_versions.valid_from IS 'the local day from which it is in force; null: since ever';
CREATE INDEX price_versions_field ON price_versions (package, field);
"""

PARTIES = """
CREATE TABLE org_billing_config (
    zitadel_org_id         text PRIMARY KEY CHECK (zitadel_org_id <> ''),
    name                   text,
    country                text CHECK (country ~ '^[A-Z]{2}$'),
    street                 text,
    house_number           text,
    postcode               text,
    town                   text,
    language               text CHECK (language IN ('de', 'en', 'fr', 'it')),
    email                  text,
    vat_number             text,
    vat_posture            text CHECK (vat_posture IN ('standard', 'export', 'reverse_charge', 'exempt')),
    purchase_order         text,
    pay_by_invoice         boolean,
    auto_invoice_enabled   boolean,
    auto_reminders_enabled boolean,
    stripe_customer_id     text,
    created_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN org_billing_config.vat_posture IS 'overrides what the country says; null: the country decides';

CREATE TABLE org_terms_versions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zitadel_org_id text NOT NULL CHECK (zitadel_org_id <> ''),
    field          text NOT NULL,
    value          text,
    valid_from     date CHECK (isfinite(valid_from)),
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by    text NOT NULL DEFAULT session_user,
    CHECK (CASE field WHEN 'country' THEN value ~ '^[A-Z]{2}$'
           WHEN 'vat_posture' THEN value IN ('standard', 'export', 'reverse_charge', 'exempt') ELSE false END)
);
COMMENT ON TABLE org_terms_versions IS 'every country and VAT posture ever of an organisation; rating reads these only';
CREATE INDEX org_terms_versions_field ON org_terms_versions (zitadel_org_id, field);

CREATE TABLE org_payment_methods (
    id                       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zitadel_org_id           text NOT NULL REFERENCES org_billing_config,
    stripe_payment_method_id text NOT NULL UNIQUE,
    created_at               timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

# PL/pgSQL where SQL would do: its plans are kept, and triggers ask these for every row.
DAYS = """
CREATE FUNCTION pieced_today() RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT (clock_timestamp() AT TIME ZONE billing_zone)::date FROM billing_settings);
END $$;
COMMENT ON FUNCTION pieced_today() IS 'the local date in the billing zone, whatever the TimeZone of the session';

CREATE FUNCTION pieced_finalised_months(org text) RETURNS SETOF date LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF org IS NULL THEN
        RETURN QUERY
            WITH RECURSIVE months AS (
                SELECT min(period_start) AS month FROM invoices
                UNION ALL
                SELECT (SELECT min(period_start) FROM invoices WHERE period_start > month) FROM months
                WHERE month IS NOT NULL)
            SELECT month FROM months WHERE month IS NOT NULL;
    ELSE
        RETURN QUERY SELECT DISTINCT period_start FROM invoices WHERE zitadel_org_id = org;
    END IF;
END $$;
COMMENT ON FUNCTION pieced_finalised_months(text) IS 'first days of periods finalised for the organisation; null: any';

CREATE FUNCTION pieced_first_open_day(org text) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT (max(month) + interval '1 month')::date FROM pieced_finalised_months(org) AS month);
END $$;
COMMENT ON FUNCTION pieced_first_open_day(text) IS 'the day after the last finalised period; null: there is none';

CREATE FUNCTION pieced_price_on(for_package text, for_field text, day date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT value FROM price_versions
        WHERE package IS NOT DISTINCT FROM for_package AND field = for_field
            AND (valid_from IS NULL OR valid_from <= day)
        ORDER BY valid_from DESC NULLS LAST, id DESC LIMIT 1);
END $$;

CREATE FUNCTION pieced_terms_on(org text, for_field text, day date) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT value FROM org_terms_versions
        WHERE zitadel_org_id = org AND field = for_field AND (valid_from IS NULL OR valid_from <= day)
        ORDER BY valid_from DESC NULLS LAST, id DESC LIMIT 1);
END $$;
"""

LOCK = """
CREATE FUNCTION pieced_lock_prices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pieced.prices', 0));
    RETURN NULL;
END $$;
"""

LOCK_TRIGGER = """
CREATE TRIGGER {table}_lock BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_lock_prices();
"""

RECORD_PRICES = """
CREATE FUNCTION pieced_record_platform_prices() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    today CONSTANT date := pieced_today();
BEGIN
    INSERT INTO price_versions (field, value, valid_from)
    SELECT name, becomes, CASE
        WHEN name = 'vat_rate_chli' OR EXISTS (SELECT FROM price_versions WHERE package IS NULL AND field = name)
        THEN today ELSE pieced_first_open_day(NULL) END
    FROM (VALUES
        ('tenant_setup_fee_chf', OLD.tenant_setup_fee_chf, NEW.tenant_setup_fee_chf),
        ('tenant_monthly_fee_chf', OLD.tenant_monthly_fee_chf, NEW.tenant_monthly_fee_chf),
        ('threema_message_chf', OLD.threema_message_chf, NEW.threema_message_chf),
        ('vat_rate_chli', OLD.vat_rate_chli, NEW.vat_rate_chli)) AS change (name, was, becomes)
    WHERE was <> becomes AND becomes IS DISTINCT FROM pieced_price_on(NULL, name, today);
    RETURN NULL;
END $$;
CREATE TRIGGER platform_pricing_versions AFTER UPDATE ON platform_pricing
    FOR EACH ROW EXECUTE FUNCTION pieced_record_platform_prices();

CREATE FUNCTION pieced_record_package_prices() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    today CONSTANT date := pieced_today();
    first CONSTANT boolean := TG_OP = 'INSERT'
        AND NOT EXISTS (SELECT FROM price_versions WHERE package = NEW.skill_id);
BEGIN
    INSERT INTO price_versions (package, field, value, valid_from)
    SELECT coalesce(NEW.skill_id, OLD.skill_id), name, becomes,
        CASE WHEN first THEN pieced_first_open_day(NULL) ELSE today END
    FROM (VALUES
        ('daily_price_chf', OLD.daily_price_chf, NEW.daily_price_chf),
        ('setup_fee_chf', OLD.setup_fee_chf, NEW.setup_fee_chf)) AS change (name, was, becomes)
    WHERE first OR (
        was IS DISTINCT FROM becomes
        AND becomes IS DISTINCT FROM pieced_price_on(coalesce(NEW.skill_id, OLD.skill_id), name, today)
        AND NOT (TG_OP = 'DELETE' AND name = 'setup_fee_chf'));
    RETURN NULL;
END $$;
CREATE TRIGGER skill_pricing_versions AFTER INSERT OR UPDATE OR DELETE ON skill_pricing
    FOR EACH ROW EXECUTE FUNCTION pieced_record_package_prices();

-- A row that comes back after a deletion and leaves the setup fee out says nothing of it: show the one in force.
CREATE FUNCTION pieced_keep_setup_fee() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.setup_fee_chf IS NULL AND NOT EXISTS (SELECT FROM skill_pricing WHERE skill_id = NEW.skill_id) THEN
        NEW.setup_fee_chf := pieced_price_on(NEW.skill_id, 'setup_fee_chf', pieced_today());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER skill_pricing_setup_fee BEFORE INSERT ON skill_pricing
    FOR EACH ROW EXECUTE FUNCTION pieced_keep_setup_fee();
"""

RECORD_TERMS = """
CREATE FUNCTION pieced_record_terms() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    today CONSTANT date := pieced_today();
    -- A row without a country, such as the portal makes, configures nothing: the first country comes with an UPDATE.
    first CONSTANT boolean := NOT EXISTS (
        SELECT FROM org_terms_versions
        WHERE zitadel_org_id = NEW.zitadel_org_id AND field = 'country' AND value IS NOT NULL);
BEGIN
    INSERT INTO org_terms_versions (zitadel_org_id, field, value, valid_from)
    SELECT NEW.zitadel_org_id, name, becomes,
        CASE WHEN first THEN pieced_first_open_day(NEW.zitadel_org_id) ELSE today END
    FROM (VALUES
        ('country', OLD.country, NEW.country),
        ('vat_posture', OLD.vat_posture, NEW.vat_posture)) AS change (name, was, becomes)
    WHERE (first AND TG_OP = 'INSERT') OR (
        was IS DISTINCT FROM becomes
        AND becomes IS DISTINCT FROM pieced_terms_on(NEW.zitadel_org_id, name, today));
    RETURN NULL;
END $$;
CREATE TRIGGER org_billing_config_versions AFTER INSERT OR UPDATE ON org_billing_config
    FOR EACH ROW EXECUTE FUNCTION pieced_record_terms();
"""

GUARD = """
CREATE FUNCTION pieced_statutory_vat(day date) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN day < date '2024-01-01' THEN 7.7 ELSE 8.1 END
$$;

CREATE FUNCTION pieced_guard_price() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    statutory CONSTANT boolean := NEW.field = 'vat_rate_chli';
    next_from date;
    altered date;
BEGIN
    SELECT min(valid_from) INTO next_from FROM price_versions
    WHERE package IS NOT DISTINCT FROM NEW.package AND field = NEW.field
        AND valid_from > coalesce(NEW.valid_from, '-infinity');
    SELECT max(month) INTO altered FROM pieced_finalised_months(NULL) AS month
    WHERE (NEW.valid_from IS NULL OR NEW.valid_from < month + interval '1 month')
        AND (next_from IS NULL OR month < next_from)
        AND NEW.value IS DISTINCT FROM coalesce(
            pieced_price_on(NEW.package, NEW.field, greatest(month, NEW.valid_from)),
            CASE WHEN statutory THEN pieced_statutory_vat(month) END);
    IF altered IS NOT NULL THEN
        RAISE EXCEPTION '% is finalised; % may change from % on', to_char(altered, 'YYYY-MM'), NEW.field,
            (altered + interval '1 month')::date USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER price_versions_guard BEFORE INSERT ON price_versions
    FOR EACH ROW EXECUTE FUNCTION pieced_guard_price();

CREATE FUNCTION pieced_guard_terms() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    next_from date;
    altered date;
BEGIN
    SELECT min(valid_from) INTO next_from FROM org_terms_versions
    WHERE zitadel_org_id = NEW.zitadel_org_id AND field = NEW.field
        AND valid_from > coalesce(NEW.valid_from, '-infinity');
    SELECT max(month) INTO altered FROM pieced_finalised_months(NEW.zitadel_org_id) AS month
    WHERE (NEW.valid_from IS NULL OR NEW.valid_from < month + interval '1 month')
        AND (next_from IS NULL OR month < next_from)
        AND NEW.value IS DISTINCT FROM pieced_terms_on(NEW.zitadel_org_id, NEW.field, greatest(month, NEW.valid_from));
    IF altered IS NOT NULL THEN
        RAISE EXCEPTION '% is finalised for organisation %; % may change from % on', to_char(altered, 'YYYY-MM'),
            NEW.zitadel_org_id, NEW.field, (altered + interval '1 month')::date USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER org_terms_versions_guard BEFORE INSERT ON org_terms_versions
    FOR EACH ROW EXECUTE FUNCTION pieced_guard_terms();
"""

# Both settings decide what a finalised period was billed: its days, and which of them count (rules 1 and 18).
SETTINGS = """
CREATE FUNCTION pieced_guard_settings() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    before CONSTANT date := coalesce(OLD.billing_start, '-infinity');
    after CONSTANT date := coalesce(NEW.billing_start, '-infinity');
    altered date;
BEGIN
    SELECT min(month) INTO altered FROM pieced_finalised_months(NULL) AS month
    WHERE NEW.billing_zone <> OLD.billing_zone
        OR (before <> after AND month < greatest(before, after) AND least(before, after) < month + interval '1 month');
    IF altered IS NOT NULL THEN
        RAISE EXCEPTION '% is finalised; % would change it', to_char(altered, 'YYYY-MM'),
            CASE WHEN NEW.billing_zone <> OLD.billing_zone THEN 'another billing zone'
                ELSE format('a billing start of %s', coalesce(NEW.billing_start::text, 'none')) END
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_settings_guard BEFORE UPDATE ON billing_settings
    FOR EACH ROW EXECUTE FUNCTION pieced_guard_settings();
CREATE TRIGGER billing_settings_stays BEFORE DELETE OR TRUNCATE ON billing_settings
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_keeps_history();
"""

EDITING = """
CREATE FUNCTION pieced_edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER platform_pricing_edited BEFORE UPDATE ON platform_pricing
    FOR EACH ROW EXECUTE FUNCTION pieced_edited();
CREATE TRIGGER skill_pricing_edited BEFORE UPDATE ON skill_pricing
    FOR EACH ROW EXECUTE FUNCTION pieced_edited();
CREATE TRIGGER org_billing_config_edited BEFORE UPDATE ON org_billing_config
    FOR EACH ROW EXECUTE FUNCTION pieced_edited();

CREATE FUNCTION pieced_keeps_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: bills rest on what it says', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER platform_pricing_stays BEFORE DELETE OR TRUNCATE ON platform_pricing
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_keeps_history();
CREATE TRIGGER skill_pricing_stays BEFORE TRUNCATE ON skill_pricing
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_keeps_history();
CREATE TRIGGER skill_pricing_keeps_id BEFORE UPDATE ON skill_pricing
    FOR EACH ROW WHEN (NEW.skill_id <> OLD.skill_id) EXECUTE FUNCTION pieced_keeps_history();
CREATE TRIGGER org_billing_config_stays BEFORE DELETE OR TRUNCATE ON org_billing_config
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_keeps_history();
CREATE TRIGGER org_billing_config_keeps_id BEFORE UPDATE ON org_billing_config
    FOR EACH ROW WHEN (NEW.zitadel_org_id <> OLD.zitadel_org_id) EXECUTE FUNCTION pieced_keeps_history();
"""

APPEND_ONLY_TRIGGER = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""

VERSIONS = ("price_versions", "org_terms_versions")
EDITED = ("platform_pricing", "skill_pricing", "org_billing_config", "billing_settings")


def upgrade() -> None:
    run(PRICES + PARTIES + DAYS + LOCK)
    for table in (*VERSIONS, *EDITED):
        run(LOCK_TRIGGER.format(table=table))
    for table in VERSIONS:
        run(APPEND_ONLY_TRIGGER.format(table=table))
    run(RECORD_PRICES + RECORD_TERMS + GUARD + EDITING + SETTINGS)
