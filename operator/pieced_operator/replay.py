"""What changed while nobody watched: held back as listed, until a watch has delivered how it came to that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from pieced_operator.cluster import Resource

Listed: TypeAlias = tuple[Resource, float]
"""A tenant of a list, and a monotonic instant before the list was asked for."""

TakeReplayed: TypeAlias = Callable[[Resource, bool], None]
"""Takes in (object, gone): a version as it was written, delivered late."""

TakeListed: TypeAlias = Callable[[Resource, float], None]
"""Takes in (object, asked_at): a version as a list found it."""


@dataclass(frozen=True, slots=True)
class FirstList:
    """The tenants when the operator began.

    `version` is the resource version of the list. `since` is that from which changes are to be replayed, None where
    that cannot be. `unseen` are those tenants, by uid, that have changed since then: they are not taken in yet.
    """

    version: int
    since: int | None = None
    unseen: dict[str, Listed] = field(default_factory=dict)


class Replay:
    """Collects what a watch from `since` on delivers until all of `unseen` has come, and hands it on in one go.

    In one go, so that no work begins on versions that are history.
    """

    def __init__(self, first: FirstList, take_replayed: TakeReplayed, take_listed: TakeListed) -> None:
        self._unseen = dict(first.unseen)
        self._until = first.version
        self._take_replayed = take_replayed
        self._take_listed = take_listed
        self._collected: list[tuple[Resource, bool]] = []

    def is_complete(self) -> bool:
        """Whether all that was listed has been delivered, or was given up."""
        return not self._unseen

    def arrived(self, resource: Resource, gone: bool) -> bool:
        """Take a delivery; returns whether it belongs to the replay, otherwise it is news."""
        uid, version = resource["metadata"]["uid"], int(resource["metadata"]["resourceVersion"])
        if self.is_complete():
            if version <= self._until:
                self._take_replayed(resource, gone)
            return version <= self._until
        self._collected.append((resource, gone))
        listed = self._unseen.get(uid)
        if gone or (listed is not None and version >= int(listed[0]["metadata"]["resourceVersion"])):
            self._unseen.pop(uid, None)
        if self.is_complete():
            self._hand_on()
        return True

    def give_up(self) -> int:
        """Hand on what has come, and for the rest what was listed; returns for how many tenants that was all."""
        left, self._unseen = self._unseen, {}
        self._hand_on()
        for resource, asked_at in left.values():
            self._take_listed(resource, asked_at)
        return len(left)

    def _hand_on(self) -> None:
        collected, self._collected = self._collected, []
        for resource, gone in collected:
            self._take_replayed(resource, gone)
