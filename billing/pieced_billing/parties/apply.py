"""`pieced org apply`: what a file says of organisations, all of it or nothing."""

from dataclasses import dataclass

from pieced_billing.parties.entries import TermsEntry, terms_additions
from pieced_billing.parties.load import load_organisations, load_terms, save_organisations, save_terms
from pieced_billing.parties.organisation import Organisation
from pieced_billing.parties.read import OrganisationEntry, read_organisations
from pieced_billing.parties.terms import UNCONFIGURED
from pieced_billing.store.connections import Connection
from pieced_billing.store.finalised import finalised_months
from pieced_billing.store.locks import lock_prices


@dataclass(frozen=True, slots=True)
class Applied:
    """What a file changed: organisations that are new or described differently, and versions of terms."""

    organisations: list[Organisation]
    terms: dict[str, list[TermsEntry]]

    def __bool__(self) -> bool:
        return bool(self.organisations or self.terms)


def apply_organisations(connection: Connection, content: bytes, file: str) -> Applied:
    """Record what a file says, in the caller's transaction; the same file again changes nothing.

    Raises BadFile, and PeriodFinalised where country or posture would change on a day that is finalised for the
    organisation. No invoice run crosses this.
    """
    entries = read_organisations(content, file)
    lock_prices(connection)
    orgs = [entry.organisation.org for entry in entries]
    recorded = load_terms(connection, orgs)
    added: dict[str, list[TermsEntry]] = {}
    for entry in entries:
        org = entry.organisation.org
        additions = terms_additions(recorded.get(org, UNCONFIGURED), entry.terms, finalised_months(connection, org))
        if additions:
            added[org] = additions
    changed = _changed(connection, entries, orgs)
    save_terms(connection, added)
    touched = {organisation.org for organisation in changed} | added.keys()
    save_organisations(connection, [entry.organisation for entry in entries if entry.organisation.org in touched])
    return Applied(changed, added)


def _changed(connection: Connection, entries: list[OrganisationEntry], orgs: list[str]) -> list[Organisation]:
    known = load_organisations(connection, orgs)
    given = [entry.organisation for entry in entries]
    return [organisation for organisation in given if known.get(organisation.org) != organisation]
