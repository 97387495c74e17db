"""Requests to resume a suspended tenant: who asked, who decided and when. Append-only, one pending for each tenant.

A request has a number within its tenant UID and at most one answer; the next number is only given when the one before
is answered. What holds the deletion of the tenant meanwhile is the annotation on its resource, not this table.
"""

from pieced_billing.store.migrations.sql import run

revision = "0004_resume_requests"
down_revision = "0003_prices_and_parties"
branch_labels = None
depends_on = None

REQUESTS = """
CREATE TABLE tenant_resume_requests (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_uid  text NOT NULL CHECK (tenant_uid <> ''),
    tenant_name text NOT NULL CHECK (tenant_name <> ''),
    request     integer NOT NULL CHECK (request > 0),
    event_kind  text NOT NULL CHECK (event_kind IN ('requested', 'approved', 'rejected', 'lapsed')),
    actor       text NOT NULL CHECK (actor <> ''),
    note        text CHECK (note <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT session_user
);
CREATE UNIQUE INDEX tenant_resume_requests_once ON tenant_resume_requests (tenant_uid, request)
    WHERE event_kind = 'requested';
CREATE UNIQUE INDEX tenant_resume_requests_answered_once ON tenant_resume_requests (tenant_uid, request)
    WHERE event_kind <> 'requested';
COMMENT ON TABLE tenant_resume_requests IS 'who asked for a suspended tenant to be resumed, and who decided, when';
COMMENT ON COLUMN tenant_resume_requests.actor IS 'the user as the API server knows them, or whom they act for';
CREATE TRIGGER tenant_resume_requests_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tenant_resume_requests
    FOR EACH STATEMENT EXECUTE FUNCTION pieced_append_only();
"""


def upgrade() -> None:
    run(REQUESTS)
