"""A message that was sent may be sent again, as another copy: to another address, where the first one came back."""

from pieced_billing.store.migrations.sql import run

revision = "0028_sent_again"
down_revision = "0027_held"
branch_labels = None
depends_on = None

COPIES = """
ALTER TABLE mail_outbox ADD COLUMN copy integer NOT NULL DEFAULT 1 CHECK (copy > 0),
    DROP CONSTRAINT mail_outbox_once,
    ADD CONSTRAINT mail_outbox_once UNIQUE (kind, subject, copy);
COMMENT ON COLUMN mail_outbox.copy IS '1, and one more each time somebody wants it sent again';
"""


def upgrade() -> None:
    run(COPIES)
