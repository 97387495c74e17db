"""`pieced org show`: organisations in the format that `pieced org apply` reads."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pieced_billing.parties.load import load_organisations, load_terms
from pieced_billing.parties.organisation import FIELDS, NotConfigured, Organisation
from pieced_billing.parties.terms import COUNTRY, UNCONFIGURED, VAT_POSTURE, PartyTerms
from pieced_billing.store.connections import Connection


def organisation_entries(connection: Connection, org: str | None = None) -> list[dict[str, Any]]:
    """The entries of one organisation or of all, one per date on which terms change; each describes it in full.

    Raises NotConfigured.
    """
    orgs = None if org is None else [org]
    terms = load_terms(connection, orgs)
    organisations = load_organisations(connection, orgs)
    if org is not None and not organisations:
        raise NotConfigured(org)
    return [entry for found in organisations.values() for entry in _entries(found, terms.get(found.org, UNCONFIGURED))]


def _entries(organisation: Organisation, terms: PartyTerms) -> Iterable[dict[str, Any]]:
    described: Mapping[str, Any] = {name: getattr(organisation, name) for name in FIELDS}
    starts = {version.valid_from for versions in (terms.country, terms.vat_posture) for version in versions.recorded}
    for start in sorted(starts, key=lambda start: start or date.min) or [None]:
        day = start or date.min
        yield {
            "org": organisation.org,
            **({} if start is None else {"from": start.isoformat()}),
            COUNTRY: terms.country.on(day),
            VAT_POSTURE: terms.vat_posture.on(day),
            **described,
        }
