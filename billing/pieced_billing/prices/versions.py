"""Values with a date from which they are in force: which one decides a day (rule 6)."""

from dataclasses import dataclass
from datetime import date
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Version(NamedTuple, Generic[V]):
    """A value in force from a local date on; without a date, since ever. The value None says: no value from then on."""

    valid_from: date | None
    value: V | None


@dataclass(frozen=True)
class Versions(Generic[V]):
    """All versions of one field, in the order in which they were recorded."""

    recorded: tuple[Version[V], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.recorded)

    def on(self, day: date) -> V | None:
        """The value in force on a local day: that of the latest date not after it, of several the last recorded.

        None where no version is in force, and where the one in force says that there is no value.
        """
        deciding: Version[V] | None = None
        for version in self.recorded:
            if version.valid_from is not None and version.valid_from > day:
                continue
            if deciding is None or _start(version) >= _start(deciding):
                deciding = version
        return None if deciding is None else deciding.value

    def at(self, valid_from: date | None) -> Version[V] | None:
        """The version that decides exactly this date (None: since ever), if there is one."""
        return next((version for version in reversed(self.recorded) if version.valid_from == valid_from), None)

    def with_versions(self, *added: Version[V]) -> "Versions[V]":
        """These versions with others recorded after them."""
        return Versions((*self.recorded, *added))


def _start(version: Version[V]) -> date:
    return version.valid_from or date.min
