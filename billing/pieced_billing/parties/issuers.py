"""Those who issue invoices, in the database: every version of what was said of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from pieced_billing.parties.issuing_entity import IssuingEntity, NotDescribed
from pieced_billing.parties.postal_address import LIMITS, PostalAddress
from pieced_billing.store.connections import Connection
from pieced_billing.store.locks import lock_prices

_COLUMNS: Final = ("issuing_entity", *LIMITS, "iban", "vat_number", "email", "accent_colour", "logo")


@dataclass(frozen=True, slots=True)
class IssuerVersion:
    """What was said of an issuing entity at an instant."""

    recorded_at: datetime
    issuer: IssuingEntity


Issuers: TypeAlias = Mapping[str, Sequence[IssuerVersion]]
"""The versions of each issuing entity, in the order in which they were recorded."""


def load_issuers(connection: Connection) -> Issuers:
    """Everything ever said of those who issue invoices."""
    found: dict[str, list[IssuerVersion]] = {}
    rows = connection.execute(
        f"SELECT recorded_at, {', '.join(_COLUMNS)} FROM issuing_entity_versions ORDER BY id"  # noqa: S608 - our own names
    )
    for recorded_at, name, *described in rows:
        address, rest = PostalAddress(*described[: len(LIMITS)]), described[len(LIMITS) :]
        found.setdefault(name, []).append(IssuerVersion(recorded_at, IssuingEntity(name, address, *rest)))
    return found


def issuer_at(issuers: Issuers, name: str, at: datetime) -> IssuingEntity:
    """The issuing entity as it was described at an instant; as it was described first, where that was later.

    Raises NotDescribed.
    """
    versions = issuers.get(name)
    if not versions:
        raise NotDescribed(name)
    return next((version.issuer for version in reversed(versions) if version.recorded_at <= at), versions[0].issuer)


def record_issuers(connection: Connection, described: Iterable[IssuingEntity]) -> list[IssuingEntity]:
    """Record what is not as it was said last, in the caller's transaction; returns it."""
    lock_prices(connection)
    latest = {name: versions[-1].issuer for name, versions in load_issuers(connection).items()}
    changed = [issuer for issuer in described if latest.get(issuer.name) != issuer]
    insert = (
        f"INSERT INTO issuing_entity_versions ({', '.join(_COLUMNS)})"  # noqa: S608
        f" VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
    )
    with connection.cursor() as cursor:
        cursor.executemany(insert, [_values(issuer) for issuer in changed])
    return changed


def _values(issuer: IssuingEntity) -> tuple[str | None, ...]:
    address = tuple(getattr(issuer.address, name) for name in LIMITS)
    return (issuer.name, *address, issuer.iban, issuer.vat_number, issuer.email, issuer.accent_colour, issuer.logo)
