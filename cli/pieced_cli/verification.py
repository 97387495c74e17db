"""`pieced verify`: issued invoices made again from what they stand on, and compared."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pieced_billing.errors import UsageError
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.seal_options import SealKeyOption

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pieced_billing.verification.certificate import Certificate
    from pieced_billing.verification.verified import Verified

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_COLUMNS = ("document", "line", "what", "stored", "right")


@app.command()
def verify(
    number: Annotated[str | None, typer.Argument(help="The number of an invoice or credit note.")] = None,
    all_documents: Annotated[bool, typer.Option("--all", help="Every document that was ever issued.")] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Verify all, and write a signed certificate if nothing differs.", metavar="FILE"),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Verify all, and compare with a certificate of before.", metavar="FILE")
    ] = None,
    seal_key: Annotated[
        Path | None, SealKeyOption(help="The key of certificates: the private one signs, either compares; a PEM file.")
    ] = None,
    output: Output = Format.TABLE,
) -> int:
    """Make invoices again from events, usage and prices as they were known, and name each difference; exit status 1."""
    from pieced_billing.ledger.seal_keys import private_key, public_key  # noqa: PLC0415 - loaded when needed
    from pieced_billing.store.connections import urls  # noqa: PLC0415
    from pieced_billing.verification.in_processes import verify_in_processes  # noqa: PLC0415
    from pieced_billing.verification.verify import verify as verify_documents  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    of_all = certificate is not None or against is not None
    if (number is None) is not (all_documents or of_all):
        raise UsageError("Name one document by its number, or all of them by --all; a certificate is of all of them.")
    if seal_key is None and of_all:
        raise UsageError("--certificate and --against need --seal-key or PIECED_SEAL_KEY: the key that signs.")
    signer = private_key(seal_key) if seal_key is not None and certificate is not None else None
    before = _opened(against, public_key(seal_key)) if seal_key is not None and against is not None else None
    with database() as connection:
        verified = (
            verify_in_processes(connection, urls(os.environ).application, before)
            if number is None
            else verify_documents(connection, number)
        )
    _show(verified, output)
    if verified.found:
        if certificate is not None:
            print("pieced: Nothing was certified, because something differs.", file=sys.stderr)
        return 1
    if signer is not None and certificate is not None and verified.certificate is not None:
        _write(certificate, verified.certificate.signed(signer))
    return 0


def _opened(path: Path, key: "Ed25519PublicKey") -> "Certificate":
    from pieced_billing.verification.certificate import Certificate  # noqa: PLC0415

    try:
        return Certificate.opened(path.read_bytes(), key, str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, line: bytes) -> None:
    try:
        path.write_bytes(line)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _show(verified: "Verified", output: Format) -> None:
    rows = [
        [one.number, "" if one.line is None else str(one.line), one.what, one.stored, one.right]
        for one in verified.differences
    ]
    if output is Format.TABLE:
        print(_summary(verified))
    if output is not Format.TABLE or rows:
        show(verified.document(), Table(_COLUMNS, rows, frozenset(("line",))), output)


def _summary(verified: "Verified") -> str:
    looked = f"{_counted(verified.documents, 'document')} of {_counted(verified.tenants, 'tenant')}"
    if verified.unproved:
        looked += (
            f" ({verified.unproved} of them hold no proof: they are from before proofs were kept, and are compared "
            "with what was recorded until they were issued)"
        )
    if not verified.found:
        return f"{looked}: 0 differences."
    shown = f", the first {len(verified.differences)} below" if verified.found > len(verified.differences) else ""
    return f"{looked}: {_counted(verified.found, 'difference')}{shown}."


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
