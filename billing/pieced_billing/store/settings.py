"""What a database was set up with, and its clock."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from pieced_billing.calendar import local_date
from pieced_billing.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Settings:
    """The billing zone (rule 1), the first day that is billed at all (rule 18), and the instant of reading them.

    A draft above `unusual_factor` times the mean of the last months waits for somebody to confirm it.
    """

    zone: ZoneInfo
    billing_start: date | None
    now: datetime
    unusual_factor: Decimal

    @property
    def today(self) -> date:
        """The local date in the billing zone."""
        return local_date(self.now, self.zone)


def load_settings(connection: Connection) -> Settings:
    """The settings, with the time of the database's clock: the one clock of everything that is decided about money."""
    query = "SELECT billing_zone, billing_start, clock_timestamp(), unusual_factor FROM billing_settings"
    row = connection.execute(query).fetchone()
    assert row is not None
    return Settings(ZoneInfo(row[0]), *row[1:])


def database_id(connection: Connection) -> UUID:
    """What tells this database, with all of its backups, from every other."""
    row = connection.execute("SELECT database_id FROM billing_settings").fetchone()
    assert row is not None
    return UUID(str(row[0]))
