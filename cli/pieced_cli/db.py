"""`pieced db`: the tables."""

import os
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from pieced_billing.errors import UsageError
from pieced_billing.store.connections import outages, urls

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _db() -> None:
    """Create and upgrade the tables."""


@app.command("upgrade")
def upgrade(
    billing_zone: Annotated[
        str | None,
        typer.Option(help="IANA time zone that days and months are cut in; chosen once, Europe/Zurich by default."),
    ] = None,
) -> None:
    """Create or upgrade the tables and the privileges of the application's role; safe to run at any time."""
    from pieced_billing.store.upgrade import upgrade as upgrade_store  # noqa: PLC0415 - SQLAlchemy and Alembic are slow

    if billing_zone is not None:
        _judge_zone(billing_zone)
    with outages():
        done = upgrade_store(urls(os.environ), billing_zone)
    if done.before == done.now:
        print(f"The database is at revision {done.now} already (billing zone {done.billing_zone}).")
    else:
        print(f"The database is now at revision {done.now} (billing zone {done.billing_zone}).")


def _judge_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name, not a name, a folder of the zone database
        raise UsageError(f"{name!r} is no time zone; write an IANA name such as Europe/Zurich.") from None
