"""`pieced backfill`: the tenants of a cluster that ran before its ledger did."""

import json
import os
from datetime import date
from typing import Annotated

import typer

from pieced_billing.invoicing.billing_start import set_billing_start
from pieced_billing.store.connections import open_store, outages, urls
from pieced_cli.values import DateOption

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def backfill(
    billing_start: Annotated[
        date | None, DateOption("--billing-start", help="Bill nothing before this day, YYYY-MM-DD (rule 18).")
    ] = None,
) -> None:
    """Record every live tenant with its packages and suspension; a second run adds nothing.

    Works before the operator ever ran and beside it.
    """
    from pieced_cli.kubernetes import with_cluster  # noqa: PLC0415 - the operator's libraries take a second to load
    from pieced_operator.backfill import read_snapshot, record_snapshot  # noqa: PLC0415
    from pieced_operator.settings import org_label  # noqa: PLC0415

    with outages(), open_store(urls(os.environ).application) as connection:
        if billing_start is not None:
            with connection.transaction():
                set_billing_start(connection, billing_start)
        snapshot = with_cluster(lambda cluster: read_snapshot(cluster, org_label(os.environ)))
        done = record_snapshot(connection, snapshot)
    document = {
        "message": "Backfill complete.",
        "tenantsExamined": done.examined,
        "lifecycleInserted": done.tenants,
        "eventsInserted": done.package_events,
        "suspensionEventsInserted": done.suspension_events,
    }
    print(json.dumps(document, indent=2))
