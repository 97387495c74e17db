"""What every command that gives invoice numbers does with the seal: reads it before and raises it after."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

from pieced_billing.invoicing.holes import Hole
from pieced_billing.invoicing.seal_required import refuse_if_sealed
from pieced_billing.store.connections import Connection
from pieced_cli.seal_options import SealKeyOption

SealKey: TypeAlias = Annotated[Path | None, SealKeyOption(help="The Ed25519 private key that signs, a PEM file.")]


@contextmanager
def sealing(connection: Connection, key: Path | None, namespace: str) -> Iterator[list[Hole]]:
    """Give numbers inside of this; what a restored database has lost is certified first, and handed in.

    The numbers are sealed when the inside ends well. Raises SealKeyRequired where there is no key and must be one, and
    NotSealed.
    """
    if key is None:
        refuse_if_sealed(connection)
        yield []
        return
    from pieced_cli.number_seal import NumberSeal  # noqa: PLC0415 - the operator's libraries take a second to load

    seal = NumberSeal(key, namespace)
    yield seal.begin(connection)
    seal.finish(connection)


@contextmanager
def sealing_one(connection: Connection, key: Path | None, namespace: str) -> Iterator[list[Hole]]:
    """As `sealing`, for a command that says nothing when it fails: what was certified is named then too, once."""
    holes: list[Hole] = []
    try:
        with sealing(connection, key, namespace) as holes:
            yield holes
    except BaseException:
        for hole in holes:
            print(lost(hole), file=sys.stderr)
        raise


def lost(hole: Hole) -> str:
    """The sentence that names what a restored database has lost."""
    document = hole.document()
    return f"{document['first']} to {document['last']} were given before this database was restored: recorded as lost."
