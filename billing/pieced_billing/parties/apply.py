"""`pieced org apply`: what a file says of organisations, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from pieced_billing.parties.entries import TermsEntry, later_starts, terms_additions
from pieced_billing.parties.issuers import load_issuing_terms
from pieced_billing.parties.issuing_terms import named_issuer
from pieced_billing.parties.load import load_organisations, load_terms, save_organisations, save_terms
from pieced_billing.parties.organisation import Organisation
from pieced_billing.parties.read import OrganisationEntry, read_organisations
from pieced_billing.parties.terms import UNCONFIGURED
from pieced_billing.prices.versions import Version, Versions
from pieced_billing.store.connections import Connection
from pieced_billing.store.finalised import finalised_months
from pieced_billing.store.locks import lock_prices
from pieced_billing.store.settings import load_settings

_Terms: TypeAlias = dict[str, list[TermsEntry]]
"""Versions of terms by organisation."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a file changed: organisations that are new or described differently, and versions of terms.

    `later` are the terms that hold from a date instead of since ever, there or added.
    """

    organisations: list[Organisation]
    terms: _Terms
    later: _Terms

    def __bool__(self) -> bool:
        return bool(self.organisations or self.terms)


def apply_organisations(connection: Connection, content: bytes, file: str) -> Applied:
    """Record what a file says, in the caller's transaction; the same file again changes nothing.

    Raises BadFile, NotDescribed for an issuer that nobody knows, and PeriodFinalised where country or posture would
    change on a day that is finalised for the organisation. No invoice run crosses this.
    """
    entries: dict[str, list[OrganisationEntry]] = {}
    for entry in read_organisations(content, file):
        entries.setdefault(entry.organisation.org, []).append(entry)
    lock_prices(connection)
    added, later = _decide_terms(connection, entries)
    today = load_settings(connection).today
    described = {org: in_force(said, today) for org, said in entries.items()}
    issuers = load_issuing_terms(connection)
    for organisation in described.values():
        if organisation.issuer is not None:
            named_issuer(organisation.issuer, issuers)
    known = load_organisations(connection, list(entries))
    changed = [organisation for org, organisation in described.items() if known.get(org) != organisation]
    save_terms(connection, added)
    touched = {organisation.org for organisation in changed} | added.keys()
    save_organisations(connection, [organisation for org, organisation in described.items() if org in touched])
    return Applied(changed, added, later)


def _decide_terms(connection: Connection, entries: Mapping[str, Sequence[OrganisationEntry]]) -> tuple[_Terms, _Terms]:
    """The terms to record, and those that hold from a date instead of since ever."""
    recorded = load_terms(connection, list(entries))
    added, later = _Terms(), _Terms()
    for org, said in entries.items():
        terms = recorded.get(org, UNCONFIGURED)
        values = [value for entry in said for value in entry.terms]
        finalised = finalised_months(connection, org)
        if additions := terms_additions(terms, values, finalised):
            added[org] = additions
        if starts := later_starts(terms, values, finalised):
            later[org] = starts
    return added, later


def in_force(entries: Sequence[OrganisationEntry], today: date) -> Organisation:
    """The organisation as the entries of a file describe it for today; where all are of later days, as the first does.

    Name and address have no versions: what another entry says of them is not kept.
    """
    versions = Versions(tuple(Version(entry.valid_from, entry.organisation) for entry in entries))
    earliest = min(entry.valid_from or date.min for entry in entries)
    organisation = versions.on(max(earliest, today))
    assert organisation is not None
    return organisation
