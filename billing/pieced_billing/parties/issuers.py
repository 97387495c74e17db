"""Those who issue invoices, in the database: every version of what was said of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Final, TypeAlias

from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.issuing_terms import DEFAULT_ISSUER, Issuers, IssuingTerms, NotDescribed
from pieced_billing.parties.own_prefixes import Numbered, require_own_prefixes
from pieced_billing.parties.postal_address import LIMITS, PostalAddress
from pieced_billing.store.connections import Connection
from pieced_billing.store.locks import lock_prices

_TERMS: Final = (
    *("issuing_entity", "invoice_prefix", "credit_note_prefix", "number_digits", "payment_days"),
    "minimum_amount_chf",
)
_COLUMNS: Final = (*_TERMS, *LIMITS, "iban", "vat_number", "email", "accent_colour", "logo")
_ISSUED_BEFORE: Final = """
SELECT EXISTS (
    SELECT FROM invoices
    WHERE issuing_entity = %s AND finalised_at < coalesce(
        (SELECT min(recorded_at) FROM issuing_entity_versions WHERE issuing_entity = %s), 'infinity'))
"""


@dataclass(frozen=True, slots=True)
class IssuerVersion:
    """What was said of an issuing entity at an instant."""

    recorded_at: datetime
    issuer: IssuingEntity


IssuerVersions: TypeAlias = Mapping[str, Sequence[IssuerVersion]]
"""The versions of each issuing entity, in the order in which they were recorded."""


def load_issuers(connection: Connection) -> IssuerVersions:
    """Everything ever said of those who issue invoices."""
    found: dict[str, list[IssuerVersion]] = {}
    rows = connection.execute(
        f"SELECT recorded_at, {', '.join(_COLUMNS)} FROM issuing_entity_versions ORDER BY id"  # noqa: S608 - our own names
    )
    for recorded_at, *said in rows:
        terms, described = IssuingTerms(*said[: len(_TERMS)]), said[len(_TERMS) :]
        address, rest = PostalAddress(*described[: len(LIMITS)]), described[len(LIMITS) :]
        found.setdefault(terms.issuer, []).append(IssuerVersion(recorded_at, IssuingEntity(terms, address, *rest)))
    return found


def load_issuing_terms(connection: Connection) -> Issuers:
    """The terms of everybody who was described, as they are now."""
    query = f"""
        SELECT DISTINCT ON (issuing_entity) {", ".join(_TERMS)} FROM issuing_entity_versions
        ORDER BY issuing_entity, id DESC
    """  # noqa: S608 - our own names
    return {terms[0]: IssuingTerms(*terms) for terms in connection.execute(query)}


def issuer_at(issuers: IssuerVersions, name: str, at: datetime) -> IssuingEntity:
    """The issuing entity as it was described at an instant; as it was described first, where that was later.

    Raises NotDescribed.
    """
    versions = issuers.get(name)
    if not versions:
        raise NotDescribed(name)
    return next((version.issuer for version in reversed(versions) if version.recorded_at <= at), versions[0].issuer)


def terms_at(issuers: IssuerVersions, name: str, at: datetime) -> IssuingTerms:
    """The terms of an issuing entity at an instant; those of anybody where nothing was said of it by then."""
    said = (version.issuer.terms for version in reversed(issuers.get(name, ())) if version.recorded_at <= at)
    return next(said, IssuingTerms(name))


def record_issuers(connection: Connection, described: Iterable[IssuingEntity]) -> list[IssuingEntity]:
    """Record what is not as it was said last, in the caller's transaction; returns it. Raises PrefixTaken."""
    lock_prices(connection)
    known = load_issuers(connection)
    latest = {name: versions[-1].issuer for name, versions in known.items()}
    changed = [issuer for issuer in described if latest.get(issuer.name) != issuer]
    said = [version.issuer for versions in known.values() for version in versions] + changed
    require_own_prefixes([*_unsaid(connection), *(Numbered(issuer.terms, issuer.iban) for issuer in said)])
    insert = (
        f"INSERT INTO issuing_entity_versions ({', '.join(_COLUMNS)})"  # noqa: S608
        f" VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
    )
    with connection.cursor() as cursor:
        cursor.executemany(insert, [_values(issuer) for issuer in changed])
    return changed


def _unsaid(connection: Connection) -> list[Numbered]:
    """The terms on which invoices were issued before their issuer was described."""
    (issued,) = connection.execute(_ISSUED_BEFORE, [DEFAULT_ISSUER, DEFAULT_ISSUER]).fetchone() or (False,)
    return [Numbered(IssuingTerms(), None)] if issued else []


def _values(issuer: IssuingEntity) -> tuple[object, ...]:
    address = tuple(getattr(issuer.address, name) for name in LIMITS)
    rest = (issuer.iban, issuer.vat_number, issuer.email, issuer.accent_colour, issuer.logo)
    return (*astuple(issuer.terms), *address, *rest)
