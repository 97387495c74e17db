"""`python -m pieced_local COMMAND`: what the Makefile calls once the virtual environment is there."""

import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

from pieced_local.errors import LocalError
from pieced_local.places import PROJECT, go_environment
from pieced_local.postgres import debian
from pieced_local.signals import StopRequested, stop_on_request
from pieced_local.tools import go_is_here

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command("postgres-15")
def postgres_15() -> None:
    """Unpack Debian's PostgreSQL 15 into the cache, for the database tests."""
    if not debian.unpack():
        print("This machine's package sources have no postgresql-15: database tests run on PostgreSQL 18 only.")


@app.command("up")
def up() -> None:
    """Start the stack and leave it running until Ctrl-C."""
    from pieced_local.up import up as run  # noqa: PLC0415 - the other commands need none of it

    stop_on_request()
    run(Console(highlight=False))


@app.command("demo")
def demo() -> None:
    """Start the stack and tell the whole story; on a terminal the stack is left running."""
    from pieced_local import stack  # noqa: PLC0415 - the other commands need none of it
    from pieced_local.demo.story import tell  # noqa: PLC0415
    from pieced_local.demo.telling import console  # noqa: PLC0415
    from pieced_local.up import stay  # noqa: PLC0415

    stop_on_request()
    here = console()
    with stack.running(here) as running:
        tell(running, here)
        if here.is_terminal:
            stay(running, here)


@app.command("go", context_settings={"ignore_unknown_options": True})
def go(arguments: Annotated[list[str], typer.Argument()]) -> None:
    """Run Go in devcluster/, with its caches in our cache folder."""
    if not go_is_here():
        print("Go is not here, so devcluster's own tests are left out: the cluster of KUBECONFIG serves.")
        return
    done = subprocess.run(["go", *arguments], cwd=PROJECT / "devcluster", env=go_environment(), check=False)
    raise typer.Exit(done.returncode)


def main() -> None:
    """Run a command; what is in its way becomes one sentence, and being stopped is no failure of the stack."""
    try:
        app()
    except StopRequested as request:
        sys.exit(request.exit_status)
    except LocalError as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
