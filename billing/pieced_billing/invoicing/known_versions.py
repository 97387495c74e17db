"""Which versions of prices, terms and issuing entities a bill knows, and the hash of all of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from pieced_billing.invoicing.proof import NO_VERSIONS, KnownVersions
from pieced_billing.store.connections import Connection

_HASH: Final = """
max(id), sha256(convert_to(string_agg(json_build_array({columns})::text, E'\\n' ORDER BY id), 'UTF8'))
"""
_PRICES: Final = f"""
SELECT {_HASH.format(columns="id, package, field, value, valid_from, recorded_at, recorded_by")} FROM price_versions
WHERE %(last)s::bigint IS NULL OR id <= %(last)s
"""  # noqa: S608 - our own columns
_ISSUER_COLUMNS: Final = """
    id, issuing_entity, name, street, house_number, postcode, town, country, iban, vat_number, email, accent_colour,
    logo, invoice_prefix, credit_note_prefix, number_digits, payment_days, minimum_amount_chf, recorded_at,
    recorded_by"""
_ISSUERS: Final = f"""
SELECT {_HASH.format(columns=_ISSUER_COLUMNS)} FROM issuing_entity_versions
WHERE %(last)s::bigint IS NULL OR id <= %(last)s
"""  # noqa: S608 - our own columns
_TERMS: Final = f"""
SELECT org, last, {_HASH.format(columns="id, zitadel_org_id, field, value, valid_from, recorded_at, recorded_by")}
FROM org_terms_versions JOIN unnest(%(orgs)s::text[], %(last)s::bigint[]) AS known (org, last) ON org = zitadel_org_id
WHERE last IS NULL OR id <= last GROUP BY org, last
"""  # noqa: S608 - our own columns


def known_prices(connection: Connection, last_id: int | None = None) -> KnownVersions:
    """All versions of prices, or those up to the one with this id."""
    return _all(connection, _PRICES, last_id)


def known_issuers(connection: Connection, last_id: int | None = None) -> KnownVersions:
    """All versions of everybody who issues invoices, or those up to the one with this id."""
    return _all(connection, _ISSUERS, last_id)


def known_terms(connection: Connection, orgs: Sequence[str]) -> Mapping[str, KnownVersions]:
    """All versions of the terms of organisations; one without any is left out."""
    rows = connection.execute(_TERMS, {"orgs": list(orgs), "last": [None] * len(orgs)}).fetchall()
    return {org: _known(last, digest) for org, _, last, digest in rows}


def known_terms_then(
    connection: Connection, pairs: Sequence[tuple[str, int]]
) -> Mapping[tuple[str, int], KnownVersions]:
    """The versions of the terms of organisations up to ids, by organisation and id."""
    orgs, ids = [org for org, _ in pairs], [last for _, last in pairs]
    rows = connection.execute(_TERMS, {"orgs": orgs, "last": ids}).fetchall()
    return {(org, until): _known(last, digest) for org, until, last, digest in rows}


def _all(connection: Connection, query: str, last_id: int | None) -> KnownVersions:
    row = connection.execute(query, {"last": last_id}).fetchone()
    assert row is not None
    return _known(*row)


def _known(last_id: int | None, digest: bytes | None) -> KnownVersions:
    return NO_VERSIONS if last_id is None or digest is None else KnownVersions(last_id, digest)
