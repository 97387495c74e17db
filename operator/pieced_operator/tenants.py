"""Every PiecedTenant that is known to exist, in memory, in its latest version."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pieced_operator.decode import Version


@dataclass(slots=True)
class Known:
    """One tenant.

    `body` is the resource's JSON without its managedFields. `accepted`: it is, or has been, ours to run and to bill,
    for `organisation`; until that is decided its versions are `held` back from the ledger. `refused_for` is why it is
    not ours, as long as it is not. `noted` is what the ledger was last told, `end_is_committed` that it knows of the
    end.
    """

    version: Version
    body: bytes
    accepted: bool
    organisation: str | None
    refused_for: str | None
    held: list["Held"] = field(default_factory=list)
    noted: tuple[object, ...] | None = None
    end_is_committed: bool = False
    phase: str = "Pending"


@dataclass(frozen=True, slots=True)
class Held:
    """A version that waits for its tenant to be accepted: see Inbox.tenant for the two monotonic instants."""

    version: Version
    delivered_at: float
    asked_at: float | None
    replayed: bool = False


class Tenants:
    """The tenants by uid; a name belongs to the latest uid that had it."""

    def __init__(self) -> None:
        self._by_uid: dict[str, Known] = {}
        self._uid_of: dict[str, str] = {}
        self._users: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._by_uid)

    def __iter__(self) -> Iterator[Known]:
        return iter(tuple(self._by_uid.values()))

    def get(self, uid: str) -> Known | None:
        """The tenant of this uid."""
        return self._by_uid.get(uid)

    def named(self, name: str) -> Known | None:
        """The tenant that has this name now."""
        return self._by_uid.get(self._uid_of.get(name, ""))

    def users_of(self, package: str) -> frozenset[str]:
        """The uids of the tenants whose spec names a package."""
        return frozenset(self._users.get(package, ()))

    def put(self, version: Version, body: bytes) -> Known:
        """Take up a tenant, or a newer version of one."""
        known = self._by_uid.get(version.uid)
        if known is None:
            refused_for = None if version.accepted else version.refused_for
            known = Known(version, body, version.accepted, version.organisation, refused_for)
            self._by_uid[version.uid] = known
            self._uid_of[version.name] = version.uid
        else:
            self._unlink(known)
            known.version, known.body = version, body
        if not version.gone:
            for package in version.packages:
                self._users[package].add(version.uid)
        return known

    def forget(self, uid: str) -> None:
        """Drop a tenant that is gone."""
        known = self._by_uid.pop(uid, None)
        if known is None:
            return
        self._unlink(known)
        if self._uid_of.get(known.version.name) == uid:
            del self._uid_of[known.version.name]

    def _unlink(self, known: Known) -> None:
        for package in known.version.packages:
            users = self._users.get(package)
            if users is not None:
                users.discard(known.version.uid)
                if not users:
                    del self._users[package]
