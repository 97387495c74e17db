"""`pieced tenant`: requests to resume suspended tenants, their answers, and announcements of their deletion."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pieced_billing.errors import UsageError
from pieced_cli.output import Format, Output, Table, show

if TYPE_CHECKING:
    from pieced_billing.store.connections import Connection
    from pieced_operator.cluster import Cluster

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Result = TypeVar("Result")
Tenant = Annotated[str, typer.Argument(help="The tenant's name.", metavar="TENANT")]
By = Annotated[str | None, typer.Option(help="Whom you act for; without it your own name in the cluster.")]
Note = Annotated[str | None, typer.Option(help="Why; it is recorded.")]


@app.callback()
def _tenant() -> None:
    """Requests to resume suspended tenants, their answers, and announcements of their deletion."""


@app.command("resume-request")
def resume_request(tenant: Tenant, by: By = None, note: Note = None) -> None:
    """Ask for a suspended tenant to be resumed; it is not deleted while the request is open."""
    from pieced_operator.resuming import request_resume  # noqa: PLC0415 - the operator's libraries are slow to load

    _with_both(by, lambda cluster, connection, actor: request_resume(cluster, connection, tenant, actor, note or None))
    print(f"Requested to resume {tenant}; it is not deleted while the request is open.")


@app.command("approve")
def approve(tenant: Tenant, by: By = None, note: Note = None) -> None:
    """Grant the pending request and resume the tenant; where Argo CD tracks it, print the change for Git instead."""
    from pieced_operator.resuming import approve_resume  # noqa: PLC0415

    change = _with_both(
        by, lambda cluster, connection, actor: approve_resume(cluster, connection, tenant, actor, note or None)
    )
    if change is None:
        print(f"Approved: {tenant} is resumed.")
        return
    import yaml  # noqa: PLC0415 - only what is asked for is loaded

    print(f"# Approved. Argo CD tracks {tenant}: it is resumed when its manifest in Git says this.")
    print(yaml.safe_dump(change, sort_keys=False), end="")


@app.command("reject")
def reject(tenant: Tenant, by: By = None, note: Note = None) -> None:
    """Turn the pending request down; the time until the tenant is deleted goes on, and is two weeks at least."""
    from pieced_operator.resuming import reject_resume  # noqa: PLC0415

    _with_both(by, lambda cluster, connection, actor: reject_resume(cluster, connection, tenant, actor, note or None))
    print(f"Rejected: {tenant} stays suspended.")


@app.command("requests")
def requests(output: Output = Format.TABLE) -> None:
    """List the requests that wait for an answer, the oldest first."""
    from pieced_billing.ledger.resume_requests import pending_requests  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        documents = [request.document() for request in pending_requests(connection)]
    columns = ("tenant", "uid", "requested_at", "actor", "note")
    rows = [["" if document[name] is None else document[name] for name in columns] for document in documents]
    show(documents, Table(columns, rows), output)


@app.command("notify")
def notify(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent to whom; send nothing.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Tell organisations by e-mail which suspended tenants are deleted within 14 days, 7 days and 1 day, each once.

    Exit status 1 says that something waits for a person: a server refused a message for good, or there is no address.
    """
    from pieced_cli.tenant_notify import notify as send_announcements  # noqa: PLC0415

    send_announcements(output, dry_run=dry_run)


def _with_both(by: str | None, work: "Callable[[Cluster, Connection, str], Awaitable[Result]]") -> Result:
    """Do something that needs the cluster, the database and the name of whoever does it."""
    from pieced_cli.database import database  # noqa: PLC0415
    from pieced_cli.kubernetes import with_cluster  # noqa: PLC0415
    from pieced_operator.resuming import whoami  # noqa: PLC0415

    if by is not None and not by.strip():
        raise UsageError("--by is blank; it must name somebody, or be left out.")

    async def act(cluster: "Cluster") -> Result:
        return await work(cluster, connection, by or await whoami(cluster))

    with database() as connection:
        return with_cluster(act)
