"""What a database was set up with, and its clock."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pieced_billing.calendar import local_date
from pieced_billing.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Settings:
    """The billing zone (rule 1), the first day that is billed at all (rule 18), and the instant of reading them."""

    zone: ZoneInfo
    billing_start: date | None
    now: datetime

    @property
    def today(self) -> date:
        """The local date in the billing zone."""
        return local_date(self.now, self.zone)


def load_settings(connection: Connection) -> Settings:
    """The settings, with the time of the database's clock: the one clock of everything that is decided about money."""
    row = connection.execute("SELECT billing_zone, billing_start, clock_timestamp() FROM billing_settings").fetchone()
    assert row is not None
    return Settings(ZoneInfo(row[0]), row[1], row[2])


def database_id(connection: Connection) -> UUID:
    """What tells this database, with all of its backups, from every other."""
    row = connection.execute("SELECT database_id FROM billing_settings").fetchone()
    assert row is not None
    return UUID(str(row[0]))
