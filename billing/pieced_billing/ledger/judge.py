"""Judging a file of the interchange format as a whole: repeats and contradictions within it. Pure.

What only the database can tell (what it knows of a tenant already, usage ids, names) is judged there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.lines import USAGE, Line

SHOWN: Final = 100
"""So many findings are kept; of more only their number is."""

_KINDS: Final = {str(kind): code for code, kind in enumerate(Kind)}


class Finding(NamedTuple):
    """Why a line cannot be imported."""

    line: int
    reason: str


@dataclass(slots=True)
class Subject:
    """What a file says of one tenant UID. `number` counts the UIDs of the file; lines are counted from 1."""

    number: int
    uid: str
    line: int
    created: Line | None = None
    created_line: int = 0
    deleted_at: Microseconds | None = None
    deleted_line: int = 0
    cluster: str | None = None


class Judge:
    """Takes the lines of a file in their order and remembers what the later ones depend on."""

    def __init__(self) -> None:
        self.subjects: dict[str, Subject] = {}
        self.findings: list[Finding] = []
        self.found = 0
        self._packages: dict[str, int] = {}
        self._seen: set[int] = set()

    def object(self, line: int, reason: str) -> None:
        """Note why a line cannot be imported."""
        self.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(line, reason))

    def take(self, number: int, line: Line) -> Subject | None:
        """The subject of a line that is to be recorded; None for a repeat or a contradiction, which is noted."""
        subject = self.subjects.get(line.uid)
        if subject is None:
            subject = self.subjects[line.uid] = Subject(len(self.subjects), line.uid, number)
        if line.cluster and not self._settle_cluster(subject, number, line.cluster):
            return None
        if line.kind == USAGE:
            return subject
        if line.kind == Kind.CREATED:
            return subject if self._take_created(subject, number, line) else None
        if line.kind == Kind.DELETED:
            return subject if self._take_deleted(subject, number, line) else None
        return None if self._repeats(subject, line) else subject

    def finish(self) -> None:
        """Judge what only the whole file shows."""
        for subject in self.subjects.values():
            created, deleted_at = subject.created, subject.deleted_at
            if created is not None and deleted_at is not None and deleted_at <= created.at:
                self.object(subject.deleted_line, f"{subject.uid} is deleted, but not after it is created")

    def by_uid(self) -> Iterator[Subject]:
        """The subjects ordered by UID."""
        return (self.subjects[uid] for uid in sorted(self.subjects))

    def _settle_cluster(self, subject: Subject, number: int, cluster: str) -> bool:
        if subject.cluster is None:
            subject.cluster = cluster
        if subject.cluster == cluster:
            return True
        self.object(number, f"{subject.uid} is in cluster {cluster} here and in {subject.cluster} before")
        return False

    def _take_created(self, subject: Subject, number: int, line: Line) -> bool:
        first = subject.created
        if first is None:
            subject.created, subject.created_line = line, number
            return True
        if (first.at, first.tenant, first.org) != (line.at, line.tenant, line.org):
            self.object(number, f"{line.uid} is created differently in line {subject.created_line}")
        return False

    def _take_deleted(self, subject: Subject, number: int, line: Line) -> bool:
        if subject.deleted_at is None:
            subject.deleted_at, subject.deleted_line = line.at, number
            return True
        if subject.deleted_at != line.at:
            self.object(number, f"{line.uid} is deleted at another instant in line {subject.deleted_line}")
        return False

    def _repeats(self, subject: Subject, line: Line) -> bool:
        """Whether UID, kind, package and instant were there before; one integer of them is kept."""
        package = self._packages.setdefault(line.package, len(self._packages))
        key = (((package << 3 | _KINDS[line.kind]) << 32 | subject.number) << 64) + line.at
        if key in self._seen:
            return True
        self._seen.add(key)
        return False
