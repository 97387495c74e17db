"""`pieced ledger verify`: that nobody has changed what was recorded."""

from typing import TYPE_CHECKING

from pieced_cli.output import Format, Output, Table, show

if TYPE_CHECKING:
    from pieced_billing.ledger.verify import Verified

_COLUMNS = ("what", "table", "tenant", "uid", "seq", "link", "reason")


def verify(output: Output = Format.TABLE) -> int:
    """Recompute every chain and name each row that is not as it was recorded; exit status 1 if there is one."""
    from pieced_billing.ledger.verify import verify as verify_ledger  # noqa: PLC0415
    from pieced_cli.database import database  # noqa: PLC0415

    with database() as connection:
        verified = verify_ledger(connection)
    _show(verified, output)
    return 1 if verified.found else 0


def _show(verified: "Verified", output: Format) -> None:
    findings = [finding.document() for finding in verified.findings]
    rows = [["" if finding[name] is None else str(finding[name]) for name in _COLUMNS] for finding in findings]
    if output is Format.TABLE:
        print(_summary(verified))
    if output is not Format.TABLE or findings:
        show(verified.document(), Table(_COLUMNS, rows, frozenset(("seq", "link"))), output)


def _summary(verified: "Verified") -> str:
    looked = f"{verified.rows} rows of {verified.tenants} tenants"
    if not verified.found:
        return f"{looked}: all as they were recorded."
    shown = f", the first {len(verified.findings)} below" if verified.found > len(verified.findings) else ""
    return f"{looked}: {verified.found} findings{shown}."
