"""`pieced operator`: the process that turns tenants into workloads and events, and how to part with it."""

import sys
from typing import Annotated

import typer

from pieced_billing.errors import UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _operator() -> None:
    """Run the operator, or release its resources for an uninstall."""


@app.command("run")
def run(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where /healthz, /readyz and /metrics are served; port 0: any.")
    ] = "0.0.0.0:8080",
    migrate: Annotated[
        bool, typer.Option("--migrate/--no-migrate", help="Upgrade the ledger's tables when the database answers.")
    ] = True,
) -> None:
    """Run the operator until SIGTERM, on the cluster of KUBECONFIG (or the pod's own) and DATABASE_URL."""
    import asyncio  # noqa: PLC0415 - the operator's libraries take a second to load

    from pieced_operator.login import login  # noqa: PLC0415
    from pieced_operator.logs import configure_logs  # noqa: PLC0415
    from pieced_operator.main import run_operator  # noqa: PLC0415
    from pieced_operator.settings import settings_of  # noqa: PLC0415

    host, port = _address(listen)
    settings = settings_of()
    configure_logs()
    asyncio.run(run_operator(settings, login, host, port, migrate=migrate))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--listen is {text!r}; write HOST:PORT, such as 127.0.0.1:8080.")
    return host.removeprefix("[").removesuffix("]"), int(port)


@app.command("release")
def release(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the operator's finalizers off every tenant and package, for an uninstall; stop the operator first.

    What is deleted afterwards goes without a trace in the ledger: it is billed until somebody records its end.
    """
    from pieced_cli.kubernetes import with_cluster  # noqa: PLC0415 - the operator's libraries take a second to load
    from pieced_operator.release import bound, release  # noqa: PLC0415

    found = with_cluster(bound)
    print(
        f"Warning: {found.tenants} tenants and {found.packages} packages lose their finalizers. "
        "A tenant that is deleted while no operator runs is then not recorded as deleted, and is billed on.",
        file=sys.stderr,
    )
    if not yes:
        typer.confirm("Go on?", abort=True)
    done = with_cluster(release)
    print(f"Released {done.tenants} tenants and {done.packages} packages.")
