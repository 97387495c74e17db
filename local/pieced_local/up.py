"""`make up`: the stack in the foreground, and how to use it."""

import shlex
from datetime import datetime
from urllib.parse import urlsplit

from rich.console import Console

from pieced_local import places, stack
from pieced_local.signals import StopRequested
from pieced_local.stack import Stack
from pieced_local.zone import ZONE


def up(console: Console) -> None:
    """Run the stack until somebody stops it."""
    with stack.running(console) as running:
        stay(running, console)


def stay(running: Stack, console: Console) -> None:
    """Say how to use the stack, and wait until somebody stops it, or raise because the operator ends by itself."""
    settings = places.state() / "env"
    settings.touch(mode=0o600)
    settings.write_text(_settings(running))
    console.print(_how_to_use(running), soft_wrap=True)
    try:
        running.operator.wait()
    except StopRequested:
        console.print("Stopping …")


def _settings(running: Stack) -> str:
    """Shell commands that make a shell use the stack."""
    names = ("KUBECONFIG", "KUBECACHEDIR", "DATABASE_URL", "PIECED_OWNER_URL")
    variables = running.variables()
    lines = [f"export {name}={shlex.quote(variables[name])}" for name in names if name in variables]
    programs = f"{places.venv() / 'bin'}:{running.cluster.kubectl_program.parent}"
    return "\n".join([*lines, f'export PATH={shlex.quote(programs)}:"$PATH"', ""])


def _how_to_use(running: Stack) -> str:
    url = urlsplit(running.database["DATABASE_URL"])
    return f"""
[bold green]The stack runs.[/] Stop it with Ctrl-C; its data stays in {places.state()}.

In another terminal:
  [bold]. {shlex.quote(str(places.state() / "env"))}[/]    sets KUBECONFIG, DATABASE_URL (with its password) and PATH
  [bold]kubectl get pieced[/]
  [bold]kubectl apply -f samples/packages.yaml -f samples/tenants.yaml[/]
  [bold]pieced ledger show acme[/]
  [bold]pieced invoice draft --month {datetime.now(ZONE):%Y-%m} --all[/]

KUBECONFIG    {running.cluster.kubeconfig}
DATABASE_URL  postgresql://{url.username}:…@{url.hostname}:{url.port}{url.path}
operator log  {places.state() / "operator.log"}
"""
