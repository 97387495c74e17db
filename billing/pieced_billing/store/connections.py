"""Connections to PostgreSQL: how a URL is judged, opened and spoken of without its password."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pieced_billing import faults
from pieced_billing.errors import Refused, Unavailable, UsageError
from pieced_billing.store.arrays import FastListDumper
from pieced_billing.store.revisions import require_current

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

MINIMUM_SERVER: Final = 15

# What a default of the role or the database may set otherwise: how values travel, and what a transaction sees.
_SESSION: Final = """
SET client_encoding TO 'UTF8';
SET TimeZone TO 'UTC';
SET DateStyle TO 'ISO, YMD';
SET IntervalStyle TO 'postgres';
SET standard_conforming_strings TO on;
SET default_transaction_isolation TO 'read committed';
SET pieced.recording TO 'row by row';
"""

_OUTAGES: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,  # the process was frozen for so long
    psycopg.errors.TransactionTimeout,
)

_RIGHT: Final = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_SHAPE: Final = re.compile(r"postgres(?:ql)?://(?:[^@/?#\s]*@)?[^@/?#\s]*(?:/[^@/#\s?]*)?(?:\?[^#\s]*)?")


@dataclass(frozen=True, slots=True)
class Urls:
    """The two ways in: the application's role, and the role that owns and migrates the tables (often the same)."""

    application: str
    owner: str


def urls(environment: Mapping[str, str]) -> Urls:
    """The URLs of DATABASE_URL and PIECED_OWNER_URL; UsageError when the first is missing or either is no URL."""
    application = environment.get("DATABASE_URL", "")
    if not application:
        raise UsageError(f"DATABASE_URL is not set; it names the database as {_RIGHT}.")
    owner = environment.get("PIECED_OWNER_URL") or application
    _judge("DATABASE_URL", application)
    _judge("PIECED_OWNER_URL", owner)
    return Urls(application, owner)


def connect(url: str) -> Connection:
    """Open a connection, outside of any transaction, whose session is set up as our statements need it, in UTC.

    Used as a context manager it commits at the end, rolls back on an exception and closes. Raises UsageError for text
    that is no URL, Unavailable when the server does not answer or does not let us in, Refused for a server that is too
    old.
    """
    _judge("The database URL", url)
    faults.point("database.before_connect")
    try:
        connection = psycopg.connect(url, **_defaults(url))
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not answer: {_without_secrets(error, url)}.") from None
    try:
        require_supported(connection.info.server_version)
        connection.adapters.register_dumper(list, FastListDumper)
        with outages():
            connection.execute(_SESSION)
            connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def open_store(url: str) -> Connection:
    """A connection to a database whose tables are those that this program was written for; Refused otherwise."""
    connection = connect(url)
    try:
        require_current(connection)
        connection.rollback()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def session(url: str) -> Iterator[Connection]:
    """A connection for one piece of work on current tables, committed at its end, with errors as sentences."""
    with outages(), open_store(url) as connection:
        yield connection


@contextmanager
def outages() -> Iterator[None]:
    """The driver's errors as ours: a lost or overloaded connection is Unavailable, a missing privilege Refused."""
    try:
        yield
    except _OUTAGES as error:
        raise Unavailable(f"The database failed: {one_line(error)}.") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed(one_line(error)) from error


def require_supported(server_version: int) -> None:
    """Refuse a server (its number as libpq gives it, 150004 for 15.4) that is older than MINIMUM_SERVER."""
    if server_version < MINIMUM_SERVER * 10000:
        raise WrongServer(server_version // 10000)


class WrongServer(Refused):
    """The server is of a major version before 15."""

    code = "server_too_old"

    def __init__(self, version: int) -> None:
        super().__init__(f"The server is PostgreSQL {version}; Pieced needs {MINIMUM_SERVER} or newer.")


class NotAllowed(Refused):
    """The role lacks a privilege, or a fact was to be changed."""

    code = "not_allowed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database does not allow it: {reason}.")


def one_line(error: Exception) -> str:
    """The first line of an error's text, without a full stop at its end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _judge(name: str, url: str) -> None:
    """Refuse text that libpq would misread, above all a password with an unescaped @ or /, without repeating it."""
    wrong = UsageError(f"{name} is not a PostgreSQL URL; write {_RIGHT} (special characters of a password as %XX).")
    if not _SHAPE.fullmatch(url):
        raise wrong
    try:
        ports = str(conninfo_to_dict(url).get("port", "")).split(",")
    except (psycopg.ProgrammingError, UnicodeError):
        raise wrong from None
    if not all(port == "" or (port.isascii() and port.isdigit() and 0 < int(port) < 65536) for port in ports):
        raise wrong


def _defaults(url: str) -> dict[str, Any]:
    """Connection settings that the URL leaves open: never a replica, a wait that ends, a dead peer that is noticed."""
    wanted = {
        "connect_timeout": 10,
        "application_name": "pieced",
        "target_session_attrs": "read-write",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    return {key: value for key, value in wanted.items() if key not in conninfo_to_dict(url)}


def _without_secrets(error: Exception, url: str) -> str:
    reason = one_line(error)
    password = conninfo_to_dict(url).get("password")
    return reason.replace(str(password), "***") if password else reason
