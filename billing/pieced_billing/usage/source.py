"""What a source of usage is to the collection: it knows tenants by a name, and reads a stretch of time."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger.lines import Line
from pieced_billing.usage.coverage import Life, Stretch


class Tenant(NamedTuple):
    """A tenant UID as sources know it, by name, and its life."""

    tenant: str
    org: str
    cluster: str
    life: Life


class Warned(NamedTuple):
    """Something missing at a source that keeps no invoice back: a code of drafts' warnings, and a sentence."""

    code: str
    text: str


class Reading(NamedTuple):
    """Usage records of a source, up to the instant before which they are complete, and why that is not the end."""

    lines: list[Line]
    reached: Microseconds
    failure: str | None = None


class UsageSource(Protocol):
    """Something that counts usage; each call raises Unavailable where it does not answer as it should."""

    @property
    def name(self) -> str:
        """The `source` of its records."""

    def begin(self) -> None:
        """Read what is asked of many tenants."""

    def known_as(self, tenant: Tenant) -> str:
        """The name by which the source knows a tenant."""

    def warned(self, tenant: Tenant) -> Warned | None:
        """What is missing at the source for a tenant that is alive."""

    def unclaimed(self, names: Collection[str]) -> list[str]:
        """What the source counts for a customer under a name that is none of the tenants'."""

    def read(self, name: str, lives: Sequence[Life], stretch: Stretch) -> Reading:
        """The usage of a name in a stretch of time; `lives` are those of the name, by their beginnings."""
