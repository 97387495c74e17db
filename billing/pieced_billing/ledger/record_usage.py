"""Recording a file of usage: each record a link of its tenant's hash chain, all of them or none.

Records go straight into their table, batch after batch: while the server stores one the next is read, so that two
processors are at work. That they are new is taken for granted, and the table's key tells where they are not. Such a
batch goes the way of the lines of `ledger import`, which finds out what is a repeat and what a contradiction.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final

from psycopg.errors import UniqueViolation

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger import contradictions, record, staging
from pieced_billing.ledger.import_ import Imported, refuse
from pieced_billing.ledger.judge import Finding, Judge
from pieced_billing.ledger.lines import Line, Malformed
from pieced_billing.ledger.usage_corrections import UsageCorrections
from pieced_billing.ledger.usage_ends import UsageEnds
from pieced_billing.ledger.usage_links import COLUMNS, TYPES, End, linked_rows
from pieced_billing.store.connections import Connection

UNKNOWN_UID: Final = "%s is the UID of no tenant in the ledger"

_BATCH_LINES: Final = 50_000
_COPY: Final = f"COPY usage_records ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"

_Numbered = tuple[int, Line | Malformed]


def record_usage(
    connection: Connection, parsed: Iterable[_Numbered], began_at: Microseconds, batch_lines: int = _BATCH_LINES
) -> Imported:
    """Record numbered lines of usage after `import_.begin`, which gave `began_at`; the caller commits.

    Records that the ledger has already are skipped. Raises ImportRefused, with line numbers and reasons, if a line is
    malformed, of a tenant that the ledger does not know, or a contradiction; then the caller must roll back.
    """
    recording = _Recording(connection, began_at)
    lines = iter(parsed)
    with ThreadPoolExecutor(max_workers=1) as worker:
        under_way: Future[None] | None = None
        while batch := list(islice(lines, batch_lines)):
            good = recording.judged(batch)
            if under_way is not None:
                under_way.result()
            under_way = worker.submit(recording.record, good)
        if under_way is not None:
            under_way.result()
    return recording.finish()


class _Recording:
    """Takes batches in their order and remembers what later ones depend on."""

    def __init__(self, connection: Connection, began_at: Microseconds) -> None:
        self._connection = connection
        self._began_at = began_at
        self._judge = Judge()
        self._ends = UsageEnds(connection)
        self._corrections = UsageCorrections(connection)
        self._differing: list[Finding] = []
        self._lines = 0
        self._recorded = 0
        self._repeats_expected = False

    def judged(self, batch: Sequence[_Numbered]) -> Sequence[tuple[int, Line]]:
        """Judge a batch as far as that needs no database, while another is recorded; the lines that can be."""
        self._lines += len(batch)
        good = [numbered for number, line in batch if (numbered := self._judged(number, line)) is not None]
        return sorted(good, key=_uid)

    def record(self, good: Sequence[tuple[int, Line]]) -> None:
        """Record the good lines of a batch, unless something is wrong with the file already."""
        if self._judge.found:
            return
        self._ends.meet({line.uid for _, line in good})
        if self._ends.unknown:
            return
        self._corrections.take(good)
        lines = [line for _, line in good]
        if self._repeats_expected or not self._record_as_new(lines):
            self._record_as_import(good)

    def finish(self) -> Imported:
        """Judge what only the whole file shows, and save the ends of the chains."""
        refuse(self._judge.findings, self._judge.found)
        refuse([*self._of_tenants()])
        refuse(self._differing)
        refuse(self._corrections.wrong())
        self._ends.save()
        return Imported(0, self._recorded, len(self._judge.subjects), self._lines - self._recorded)

    def _judged(self, number: int, line: Line | Malformed) -> tuple[int, Line] | None:
        if isinstance(line, Malformed):
            self._judge.object(number, str(line))
            return None
        return None if self._judge.take(number, line) is None else (number, line)

    def _of_tenants(self) -> Iterator[Finding]:
        for uid, subject in self._judge.subjects.items():
            end = self._ends.known.get(uid)
            if end is None:
                yield Finding(subject.line, UNKNOWN_UID % uid)
            elif subject.cluster and end.cluster and subject.cluster != end.cluster:
                yield Finding(subject.line, f"{uid} is in cluster {end.cluster} in the ledger")

    def _record_as_new(self, lines: Sequence[Line]) -> bool:
        """Whether all these records were new; otherwise none of them is recorded."""
        after: dict[str, End] = {}
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(TYPES)
                for row in linked_rows(lines, self._ends.known, after, self._began_at):
                    copy.write_row(row)
        except UniqueViolation:
            return False
        self._ends.known.update(after)
        self._recorded += len(lines)
        return True

    def _record_as_import(self, numbered: Sequence[tuple[int, Line]]) -> None:
        """Record those that are new; as long as there are repeats, others are expected."""
        self._ends.save()
        judge = Judge()
        staging.create(self._connection)
        with staging.copying_lines(self._connection) as copy:
            for number, line in numbered:
                subject = judge.take(number, line)
                assert subject is not None  # it was judged before
                copy.write_row(staging.line_record(number, subject, line))
        staging.copy_tenants(self._connection, judge.by_uid())
        staging.meet_the_ledger(self._connection)
        differing = contradictions.of_usage(self._connection, self._began_at)
        new = 0 if differing else record.record(self._connection).usage
        staging.drop(self._connection)
        self._ends.read(judge.subjects)
        self._differing += differing
        self._recorded += new
        self._repeats_expected = new < len(numbered)


def _uid(numbered: tuple[int, Line]) -> str:
    return numbered[1].uid
