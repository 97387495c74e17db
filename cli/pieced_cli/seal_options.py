"""The options of every command that seals or verifies: one name, and one environment variable, each."""

from typing import Annotated, Any, TypeAlias

import typer


def SealKeyOption(help: str) -> Any:  # noqa: A002, N802 - stands where typer.Option does
    """An option whose value is the file of a key."""
    return typer.Option("--seal-key", help=help, envvar="PIECED_SEAL_KEY", metavar="FILE")


SealNamespace: TypeAlias = Annotated[
    str,
    typer.Option("--seal-namespace", help="Where the ConfigMaps of the seals are.", envvar="PIECED_SEAL_NAMESPACE"),
]
"""The namespace of what is published."""
