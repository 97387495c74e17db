"""`pieced ledger seal` and `pieced ledger verify`: that nobody has changed what was recorded."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pieced_billing.errors import UsageError
from pieced_cli.output import Format, Output, Table, show
from pieced_cli.seal_options import SealKeyOption, SealNamespace
from pieced_operator.names import SEALS_NAMESPACE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pieced_billing.ledger.seal_file import SealFile
    from pieced_billing.ledger.verify import Verified
    from pieced_billing.store.connections import Connection

_COLUMNS = ("what", "table", "tenant", "uid", "seq", "link", "reason")


def seal(
    seal_key: Annotated[Path, SealKeyOption(help="The Ed25519 private key that signs, a PEM file.")],
    file: Annotated[Path, typer.Option(help="Where the heads are written, in place of those before.", metavar="FILE")],
    seal_namespace: SealNamespace = SEALS_NAMESPACE,
) -> None:
    """Sign where every tenant's chain ends: the heads to a file, the signature to the ConfigMap pieced-ledger-seal too.

    The ledger must still have what the last seal says; otherwise nothing is written.
    """
    from pieced_cli.ledger_seal import run_seal  # noqa: PLC0415 - the operator's libraries take a second to load

    run_seal(seal_key, file, seal_namespace)


def verify(
    seal: Annotated[
        Path | None, typer.Option(help="Compare with a file of `pieced ledger seal` too.", metavar="FILE")
    ] = None,
    seal_key: Annotated[Path | None, SealKeyOption(help="The key of that seal, public or private, a PEM file.")] = None,
    output: Output = Format.TABLE,
) -> int:
    """Recompute every chain and name each row that is not as it was recorded; exit status 1 if there is one."""
    from pieced_billing.ledger.seal_keys import public_key  # noqa: PLC0415 - libraries are loaded when they are needed
    from pieced_billing.ledger.verify import verify as verify_ledger  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    if seal is not None and seal_key is None:
        raise UsageError("--seal needs --seal-key or PIECED_SEAL_KEY: a seal is believed only by its key.")
    key = None if seal is None or seal_key is None else public_key(seal_key)
    with database() as connection:
        sealed = None if seal is None or key is None else _opened(connection, seal, key)
        verified = verify_ledger(connection, sealed)
    _show(verified, output)
    return 1 if verified.found else 0


def _opened(connection: "Connection", seal: Path, key: "Ed25519PublicKey") -> "SealFile | None":
    """The seal to compare with; None before the first, as in a first night: nothing is lost, and nothing to alarm."""
    from pieced_billing.ledger.ever_sealed import ever_sealed  # noqa: PLC0415
    from pieced_billing.ledger.seal_file import NoSealFile, SealFile  # noqa: PLC0415

    try:
        return SealFile.open(seal, key)
    except NoSealFile:
        if ever_sealed(connection):
            raise
    print(
        f"pieced: The ledger was never sealed, so there is no {seal}: its hashes alone are verified.", file=sys.stderr
    )
    return None


def _show(verified: "Verified", output: Format) -> None:
    findings = [finding.document() for finding in verified.findings]
    rows = [["" if finding[name] is None else str(finding[name]) for name in _COLUMNS] for finding in findings]
    if output is Format.TABLE:
        print(_summary(verified))
    if output is not Format.TABLE or findings:
        show(verified.document(), Table(_COLUMNS, rows, frozenset(("seq", "link"))), output)


def _summary(verified: "Verified") -> str:
    seal = "" if verified.sealed_at is None else f", against the seal of {verified.sealed_at}"
    looked = f"{verified.rows} rows of {verified.tenants} tenants{seal}"
    if not verified.found:
        return f"{looked}: all as they were recorded."
    shown = f", the first {len(verified.findings)} below" if verified.found > len(verified.findings) else ""
    return f"{looked}: {verified.found} findings{shown}."
