"""Organisations in the database: read with the versions of their terms, and written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from pieced_billing.parties.entries import TermsEntry
from pieced_billing.parties.organisation import FIELDS, Organisation
from pieced_billing.parties.terms import COUNTRY, VAT_POSTURE, PartyTerms
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.store.connections import Connection

_COLUMNS: Final = ", ".join(("zitadel_org_id", *FIELDS))


def load_organisations(connection: Connection, orgs: Sequence[str] | None = None) -> dict[str, Organisation]:
    """The configured organisations among `orgs`, or all, ascending by code point."""
    rows = connection.execute(
        f'SELECT {_COLUMNS} FROM org_billing_config {_among(orgs)} ORDER BY zitadel_org_id COLLATE "C"',  # noqa: S608 - our own text
        {"orgs": orgs},
    )
    return {row[0]: Organisation(*row) for row in rows}


def load_terms(connection: Connection, orgs: Sequence[str] | None = None) -> dict[str, PartyTerms]:
    """Every version of country and VAT posture of `orgs`, or of all; organisations without any are left out."""
    rows = connection.execute(
        f"SELECT zitadel_org_id, field, valid_from, value FROM org_terms_versions {_among(orgs)} ORDER BY id",  # noqa: S608
        {"orgs": orgs},
    )
    found: defaultdict[str, list[tuple[str, date | None, str | None]]] = defaultdict(list)
    for org, *version in rows:
        found[org].append(tuple(version))
    return {org: terms_of(tuple(versions)) for org, versions in found.items()}


def _among(orgs: Sequence[str] | None) -> str:
    """The condition on organisations. One condition that also allowed for all of them could not use the index."""
    return "" if orgs is None else "WHERE zitadel_org_id = ANY(%(orgs)s)"


@lru_cache(maxsize=1024)
def terms_of(versions: tuple[tuple[str, date | None, str | None], ...]) -> PartyTerms:
    """The terms of recorded versions; most organisations share theirs with many others."""
    by_field: dict[str, list[Version[str]]] = {COUNTRY: [], VAT_POSTURE: []}
    for name, valid_from, value in versions:
        by_field[name].append(Version(valid_from, value))
    return PartyTerms(Versions(tuple(by_field[COUNTRY])), Versions(tuple(by_field[VAT_POSTURE])))


def save_terms(connection: Connection, additions: Mapping[str, Sequence[TermsEntry]]) -> None:
    """Append versions; the latest date comes first, so that rule 9 can be judged row by row."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO org_terms_versions (zitadel_org_id, field, valid_from, value) VALUES (%s, %s, %s, %s)",
            [
                (org, entry.name, entry.valid_from, entry.value)
                for org, entries in additions.items()
                for entry in sorted(entries, key=lambda entry: entry.valid_from or date.min, reverse=True)
            ],
        )


def save_organisations(connection: Connection, organisations: Iterable[Organisation]) -> None:
    """Write organisations, and the country and posture of today beside them; their versions are recorded before."""
    columns = (*FIELDS, COUNTRY, VAT_POSTURE)
    insert = f"""
        INSERT INTO org_billing_config (zitadel_org_id, {", ".join(columns)})
        SELECT %(org)s, {", ".join(f"%({name})s" for name in FIELDS)},
            pieced_terms_on(%(org)s, 'country', today), pieced_terms_on(%(org)s, 'vat_posture', today)
        FROM pieced_today() AS today
        ON CONFLICT (zitadel_org_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in columns)}
    """  # noqa: S608 - names of our own columns
    with connection.cursor() as cursor:
        cursor.executemany(insert, [_values(organisation) for organisation in organisations])


def _values(organisation: Organisation) -> dict[str, Any]:
    return {name: getattr(organisation, name) for name in ("org", *FIELDS)}
