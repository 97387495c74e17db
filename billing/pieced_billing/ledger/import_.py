"""`pieced ledger import`: a file of the interchange format into the ledger, all of it or nothing."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO, Final, NamedTuple

from pieced_billing.calendar import Microseconds, to_microseconds
from pieced_billing.errors import Refused
from pieced_billing.ledger import contradictions, record, staging
from pieced_billing.ledger.judge import SHOWN, Finding, Judge
from pieced_billing.ledger.lines import Line, Malformed, parse_line
from pieced_billing.store.connections import Connection

_LONGEST_LINE: Final = 1 << 20


class Imported(NamedTuple):
    """What an import recorded; `repeats` are lines that were there before, in the file or in the ledger."""

    events: int
    usage: int
    tenants: int
    repeats: int


class ImportRefused(Refused):
    """Lines of the file are malformed or contradict each other or the ledger."""

    code = "import_refused"

    def __init__(self, findings: list[Finding], found: int) -> None:
        shown = sorted(findings)[:SHOWN]
        lines = [f"  line {finding.line}: {finding.reason}" for finding in shown]
        if found > len(shown):
            lines.append(f"  and {found - len(shown)} more")
        self.findings = tuple(shown)
        super().__init__("\n".join(["Nothing was imported; these lines cannot be:", *lines]))


def import_lines(connection: Connection, file: BinaryIO) -> Imported:
    """Record the events and the usage of a file; the caller commits.

    Lines that the ledger has already are skipped. Raises ImportRefused, with line numbers and reasons, if any line is
    malformed or a contradiction; then the caller must roll back.
    """
    now = begin(connection)
    return _record_lines(connection, ((number, _parsed(raw, now)) for number, raw in numbered_lines(file)))


def begin(connection: Connection) -> Microseconds:
    """Let nobody else write to the ledger until the end of the transaction; returns the database's time."""
    # Observations wait until the import is done, and the other way round: both number the events of a tenant.
    connection.execute("LOCK TABLE tenant_billing_lifecycle, ledger_chains IN EXCLUSIVE MODE")
    connection.execute("SET LOCAL pieced.recording TO 'in bulk'")
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return to_microseconds(row[0])


def _record_lines(connection: Connection, parsed: Iterable[tuple[int, Line | Malformed]]) -> Imported:
    staging.create(connection)
    judge = Judge()
    lines = _stage(connection, parsed, judge)
    refuse(judge.findings, judge.found)
    staging.copy_tenants(connection, judge.by_uid())
    refuse(contradictions.of_tenants(connection) + contradictions.of_corrections(connection))
    staging.meet_the_ledger(connection)
    refuse(contradictions.of_names(connection))
    refuse(contradictions.of_usage(connection))
    recorded = record.record(connection)
    if recorded.events:
        record.project(connection)
    return Imported(*recorded, len(judge.subjects), lines - sum(recorded))


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, counted from 1; of one that is too long only its beginning."""
    for number, raw in enumerate(iter(partial(file.readline, _LONGEST_LINE), b""), 1):
        rest = raw
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
        if not raw.isspace():
            yield number, raw


def _parsed(raw: bytes, now: Microseconds) -> Line | Malformed:
    try:
        return parse_line(raw, now)
    except Malformed as malformed:
        return malformed


def _stage(connection: Connection, parsed: Iterable[tuple[int, Line | Malformed]], judge: Judge) -> int:
    """Copy the lines that repeat no other into the database; returns how many lines there are."""
    lines = 0
    with staging.copying_lines(connection) as copy:
        for number, line in parsed:
            lines += 1
            if isinstance(line, Malformed):
                judge.object(number, str(line))
                continue
            subject = judge.take(number, line)
            if subject is not None and not judge.found:
                copy.write_row(staging.line_record(number, subject, line))
    judge.finish()
    return lines


def refuse(findings: list[Finding], found: int | None = None) -> None:
    """Raise ImportRefused if there are findings; `found` is how many there are, if not all of them are here."""
    if findings:
        raise ImportRefused(findings, len(findings) if found is None else found)
