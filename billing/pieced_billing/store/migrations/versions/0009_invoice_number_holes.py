"""Certified holes in the invoice numbers: numbers that were given before the database was restored, and are not again.

A hole begins right after the last number that the counter knows, and the same statement raises the counter to its end:
holes cannot overlap, and what is numbered from then on comes after them.
"""

from pieced_billing.store.migrations.sql import run

revision = "0009_invoice_number_holes"
down_revision = "0008_chain"
branch_labels = None
depends_on = None

HOLES = """
CREATE TABLE invoice_number_holes (
    issuing_entity text NOT NULL,
    series         text NOT NULL,
    year           integer NOT NULL,
    first_number   bigint NOT NULL CHECK (first_number > 0),
    last_number    bigint NOT NULL CHECK (last_number >= first_number),
    evidence       text NOT NULL CHECK (evidence <> ''),
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuing_entity, series, year, first_number)
);
COMMENT ON TABLE invoice_number_holes IS 'numbers of invoices that this database lost; they are never given again';
COMMENT ON COLUMN invoice_number_holes.evidence IS 'the signed counters that say so, as they were published';
CREATE TRIGGER invoice_number_holes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_number_holes
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();

CREATE FUNCTION pieced_place_hole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pieced.invoicing', 0));
    SELECT last_number INTO known FROM invoice_number_counters
        WHERE (issuing_entity, series, year) = (NEW.issuing_entity, NEW.series, NEW.year);
    IF NEW.first_number <> coalesce(known, 0) + 1 THEN
        RAISE EXCEPTION 'a hole begins after the last number: %, not %', coalesce(known, 0) + 1, NEW.first_number
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO invoice_number_counters VALUES (NEW.issuing_entity, NEW.series, NEW.year, NEW.last_number)
        ON CONFLICT (issuing_entity, series, year) DO UPDATE SET last_number = EXCLUDED.last_number;
    RETURN NEW;
END $$;
CREATE TRIGGER invoice_number_holes_place BEFORE INSERT ON invoice_number_holes
    FOR EACH ROW EXECUTE FUNCTION pieced_place_hole();
"""

NO_INVOICE_IN_A_HOLE = """
CREATE FUNCTION pieced_refuse_lost_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    SELECT number INTO wrong FROM numbered_invoices JOIN invoice_number_holes USING (issuing_entity, series)
        WHERE year = substring(number FROM '-([0-9]+)-[0-9]+$')::integer
          AND substring(number FROM '([0-9]+)$')::bigint BETWEEN first_number AND last_number;
    IF FOUND THEN
        RAISE EXCEPTION 'the number % was given before the database was restored', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoices_not_in_a_hole AFTER INSERT ON invoices
    REFERENCING NEW TABLE AS numbered_invoices
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_refuse_lost_numbers();
"""


def upgrade() -> None:
    run(HOLES + NO_INVOICE_IN_A_HOLE)
