"""Whether the row of a tenant, which changes and is no link, is as the program wrote it. Pure.

Two things tell: its stamp, the hash of the whole row, and the fold of the tenant's events, which most columns are.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from pieced_billing.ledger.chain import Entry, canonical, stamp
from pieced_billing.ledger.events import Kind
from pieced_billing.ledger.flaws import Flaw, What

_TABLE: Final = "tenant_billing_lifecycle"


class TenantFold:
    """What a tenant's events, taken in any order, say that its row must have.

    Instants are compared as text: all are UTC and of one form, and sort as they follow each other.
    """

    def __init__(self) -> None:
        self._life: dict[str, str] = {}
        self._last_seq = 0
        self._last_at: str | None = None
        self._packages: dict[str, tuple[str, int, str]] = {}
        self._suspension = ("", 0, "")

    def take(self, entry: Entry) -> None:
        """Take a row; one that is no event says nothing."""
        seq = entry.seq
        if seq is None:
            return
        fields = entry.fields
        kind, at = fields["event_kind"], fields["occurred_at"]
        self._last_seq = max(seq, self._last_seq)
        self._last_at = at if self._last_at is None else max(at, self._last_at)
        switched = at, seq, kind
        if kind in (Kind.ENABLED, Kind.DISABLED):
            package = fields["skill_id"]
            self._packages[package] = max(switched, self._packages.get(package, switched))
        elif kind in (Kind.SUSPENDED, Kind.RESUMED):
            self._suspension = max(switched, self._suspension)
        elif kind == Kind.CREATED:
            self._life |= {name: fields[name] for name in ("tenant_name", "zitadel_org_id")} | {"created_at": at}
        else:
            self._life["deleted_at"] = at

    @property
    def tenant(self) -> str | None:
        """The tenant's name."""
        return self._life.get("tenant_name")

    def differences(self, row: Mapping[str, str | None]) -> list[str]:
        """The columns of a tenant's row that its events say otherwise."""
        if row["last_seq"] == "0" == str(self._last_seq):
            return []
        enabled = sorted(package for package, (_, _, kind) in self._packages.items() if kind == Kind.ENABLED)
        told = {
            "tenant_name": self._life.get("tenant_name"),
            "zitadel_org_id": self._life.get("zitadel_org_id"),
            "created_at": self._life.get("created_at"),
            "deleted_at": self._life.get("deleted_at"),
            "last_seq": str(self._last_seq),
            "last_event_at": self._last_at,
            "suspended": "true" if self._suspension[2] == Kind.SUSPENDED else "false",
        }
        differing = [name for name, value in told.items() if row.get(name) != value]
        return differing if sorted(orjson.loads(row["packages"] or "[]")) == enabled else [*differing, "packages"]


def row_flaws(row: Mapping[str, str | None] | None, stamped: bytes | None, fold: TenantFold | None) -> Iterator[Flaw]:
    """What is wrong with a tenant's row; `fold` is None where its events cannot be relied on."""
    if row is None:
        if fold is None or fold.tenant is not None:
            yield Flaw(What.DELETED, _TABLE, None, None, "the tenant has events and no row")
        return
    told = [] if fold is None else fold.differences(row)
    differing = f"; the events say otherwise of {', '.join(told)}" if told else ""
    if stamped is None:
        yield Flaw(What.INSERTED, _TABLE, None, None, "it has no stamp: Pieced did not write it")
    elif stamped != stamp(canonical(row)):
        yield Flaw(What.EDITED, _TABLE, None, None, f"it does not give its stamp{differing}")
    elif told:
        yield Flaw(What.EDITED, _TABLE, None, None, f"the events say otherwise of {', '.join(told)}")
