"""The `pieced` command, and the one place where errors become exit statuses.

0 done, 1 refused or an outage, 2 written wrong, 130 interrupted. A command group is imported when it is called, so
that `--help` needs none of the database's and the cluster's libraries.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from pieced_billing.errors import Refused, Unavailable, UsageError
from pieced_cli.streams import cannot_be_written, drop_output, prepare_output


class _Source(NamedTuple):
    """Where a command comes from: the module with its `app` (a typer application), and a line of help."""

    module: str
    summary: str


COMMANDS: Final = {
    "db": _Source("pieced_cli.db", "Create and upgrade the tables."),
    "ledger": _Source(
        "pieced_cli.ledger", "What was ordered and used, when: import, export, show, check, seal, verify."
    ),
    "usage": _Source("pieced_cli.usage", "What was used: import, collect, rates, end, skip."),
    "price": _Source("pieced_cli.price", "Prices of the platform and of packages: apply, show."),
    "org": _Source("pieced_cli.org", "Organisations, who is billed and how: apply, show."),
    "issuer": _Source("pieced_cli.issuer", "Who issues the invoices, and where they are paid: apply, show."),
    "invoice": _Source("pieced_cli.invoice", "Drafts, invoices and payments."),
    "mail": _Source("pieced_cli.mail", "E-mails to customers that were not sent so far: pending."),
    "cost": _Source("pieced_cli.cost", "What tenants cost this month, to date and at its end."),
    "events": _Source("pieced_cli.events", "The events of a tenant, with how well their times are known."),
    "explain": _Source("pieced_cli.explain", "What the cost of a tenant comes from: days, events, prices."),
    "verify": _Source("pieced_cli.verification", "Whether invoices are what events, usage and prices make them."),
    "tenant": _Source(
        "pieced_cli.tenant", "Requests to resume suspended tenants, their answers; announcements of deletion."
    ),
    "operator": _Source("pieced_cli.operator", "Run the operator, or release its resources for an uninstall."),
    "backfill": _Source("pieced_cli.backfill", "Record the tenants of a cluster that ran before the operator did."),
}


def main() -> None:
    """Run the command line and end the process with its exit status."""
    prepare_output()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; errors become one sentence on stderr and the exit status that is returned."""
    try:
        _judge_text(arguments)
        status: Any = _root(arguments).main(list(arguments), prog_name="pieced", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except UsageError as error:
        return _complain(str(error), 2)
    except (Refused, Unavailable) as error:
        return _complain(str(error), 1)
    except typer.TyperException as error:
        return _complain(error.format_message(), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # whoever read our output has gone: `| head`, say
        drop_output()
        return 1
    except OSError as error:
        if not cannot_be_written(error):
            raise
        drop_output()
        return _complain(f"The output cannot be written: {error.strerror}.", 1)


def _judge_text(arguments: Sequence[str]) -> None:
    """Refuse what no table of ours can hold: bytes that are not the text that the environment says they are."""
    for argument in arguments:
        if not argument.isascii() and any("\udc80" <= character <= "\udcff" for character in argument):
            raise UsageError(f"{argument!a} is not text in {sys.getfilesystemencoding().upper()}.")


def _root(arguments: Sequence[str]) -> TyperGroup:
    """The command tree: the group that is called in full, of all others the line of help."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.callback()(_pieced)
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    called = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, source in COMMANDS.items():
        group = importlib.import_module(source.module).app if name == called else _summary(source)
        root.add_command(get_command(group), name)
    return root


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely asked for

        print(version("pieced"))
        raise typer.Exit


def _pieced(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Pieced: from `kubectl apply` of a tenant to its invoice."""


def _summary(source: _Source) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(help=source.summary)(lambda: None)
    return app


def _complain(message: str, status: int) -> int:
    print(message if message.startswith("Usage:") else f"pieced: {message}", file=sys.stderr)
    return status
