"""Which migrations a database has had, and which this program needs."""

from importlib.resources import files
from typing import Any, Final

import psycopg

from pieced_billing.errors import Refused

VERSION_TABLE: Final = "pieced_alembic_version"


def head() -> str:
    """The newest revision of this program: migrations are linear, and their files are named by their revisions."""
    versions = files("pieced_billing.store") / "migrations" / "versions"
    return max(file.name.removesuffix(".py") for file in versions.iterdir() if file.name[:4].isdigit())


def current(connection: psycopg.Connection[tuple[Any, ...]]) -> str | None:
    """The revision that the database is at; None where `pieced db upgrade` never ran."""
    known = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [VERSION_TABLE]).fetchone()
    assert known is not None
    if not known[0]:
        return None
    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - a constant
    return None if row is None else str(row[0])


def require_current(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Refuse to work on tables of another revision than this program's."""
    found = current(connection)
    if found != head():
        raise WrongRevision(found)


class WrongRevision(Refused):
    """The tables are missing, older or newer than the program."""

    code = "database_revision"

    def __init__(self, found: str | None) -> None:
        if found is None:
            super().__init__("The database has no tables of Pieced yet; run `pieced db upgrade`.")
        elif found < head():
            super().__init__(f"The database is at revision {found} and {head()} is needed; run `pieced db upgrade`.")
        else:
            super().__init__(f"The database is at revision {found}, newer than this program; use a newer Pieced.")
