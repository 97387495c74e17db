"""`pieced db upgrade`: the tables of this program, all of them or none, however many start at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from psycopg import errors
from sqlalchemy import Connection as AlchemyConnection
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pieced_billing import faults
from pieced_billing.errors import Refused, UsageError
from pieced_billing.store import portal, revisions, roles
from pieced_billing.store.connections import Connection, Urls, connect, one_line

_LOCK: Final = 0x50494543_4544  # "PIECED": taken for the whole of an upgrade


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: the revision before (None: no tables yet), the one now, and the billing zone in force."""

    before: str | None
    now: str
    billing_zone: str


class ZoneDiffers(Refused):
    """The billing zone decides which day every event falls on, so it is chosen once."""

    code = "billing_zone_differs"

    def __init__(self, zone: str) -> None:
        super().__init__(f"The billing zone of this database is {zone} since its creation and cannot be changed.")


class UpgradeRefused(Refused):
    """The server refuses a statement of the upgrade: a missing privilege, or something in the way."""

    code = "upgrade_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database cannot be upgraded and is as it was: {reason}.")


def upgrade(urls: Urls, billing_zone: str | None = None) -> Upgraded:
    """Bring the tables to this program's revision and give the application's role its privileges.

    One transaction under one lock: whoever comes second waits and finds nothing to do, and a process that dies leaves
    the old tables. `billing_zone` is an IANA name and decides only when the tables are made (Refused if another is in
    force).
    """
    with connect(urls.application) as connection:  # which also shows that the application can connect
        application = _identity(connection)
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(urls.owner), poolclass=NullPool)
    try:
        with engine.begin() as alchemy:
            owner = alchemy.connection.driver_connection
            assert isinstance(owner, psycopg.Connection)
            if _identity(owner)[1:] != application[1:]:
                raise UsageError("DATABASE_URL and PIECED_OWNER_URL name two different databases.")
            upgraded = _upgrade(alchemy, owner, application[0], billing_zone)
        faults.point("upgrade.after_commit")
        return upgraded
    except DBAPIError as error:
        _explain(error.orig or error)
    except psycopg.Error as error:
        _explain(error)
    finally:
        engine.dispose()


def _upgrade(connection: AlchemyConnection, owner: Connection, role: str, billing_zone: str | None) -> Upgraded:
    owner.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    faults.point("upgrade.after_lock")
    encoding = owner.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UpgradeRefused(f"its encoding is {encoding}, and names of customers need UTF8")
    before = revisions.current(owner)
    if before is None:
        portal.make_room(owner)
    elif before > revisions.head():
        raise revisions.WrongRevision(before)
    _migrate(connection)
    zone = _settle_zone(owner, billing_zone, created=before is None)
    roles.grant(owner, role)
    faults.point("upgrade.after_grants")
    return Upgraded(before, revisions.head(), zone)


def _identity(connection: Connection) -> tuple[str, str, datetime]:
    """Who is connected to what: the role, and the database by its name and the start of its server."""
    row = connection.execute("SELECT current_user, current_database(), pg_postmaster_start_time()").fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _migrate(connection: AlchemyConnection) -> None:
    """Run the missing migrations inside the transaction that is open on `connection`."""
    config = Config()
    config.set_main_option("script_location", "pieced_billing.store:migrations")
    script = ScriptDirectory.from_config(config)

    def missing(revision: Any, _: Any) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - what alembic.command.upgrade itself calls

    with EnvironmentContext(config, script, fn=missing) as environment:
        environment.configure(connection=connection, version_table=revisions.VERSION_TABLE, transactional_ddl=False)
        environment.run_migrations()


def _settle_zone(owner: Connection, wanted: str | None, *, created: bool) -> str:
    if created and wanted is not None:
        try:
            owner.execute("SELECT now() AT TIME ZONE %s", [wanted])
        except errors.InvalidParameterValue:
            raise UpgradeRefused(f"the server does not know the time zone {wanted}") from None
        owner.execute("UPDATE billing_settings SET billing_zone = %s", [wanted])
    row = owner.execute("SELECT billing_zone FROM billing_settings").fetchone()
    assert row is not None
    if wanted is not None and row[0] != wanted:
        raise ZoneDiffers(row[0])
    return str(row[0])


def _explain(error: BaseException) -> NoReturn:
    """Say in one sentence why the server refused; let a bug be seen as one."""
    in_the_way = (errors.InsufficientPrivilege, errors.DependentObjectsStillExist, errors.DuplicateObject)
    if isinstance(error, (*in_the_way, errors.DuplicateTable, errors.DuplicateFunction)):
        raise UpgradeRefused(one_line(error)) from None
    raise error
