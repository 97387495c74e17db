"""`pieced verify`: whether every issued invoice is what the facts make it, and what differs where one is not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import IsolationLevel

from pieced_billing.errors import Refused
from pieced_billing.invoicing.issued import numberings
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.ledger.linked_rows import LinkedRows
from pieced_billing.ledger.soundness import unsound_counter
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings
from pieced_billing.verification.billed_days import Billed, BilledDays, Key
from pieced_billing.verification.differences import Difference, differences
from pieced_billing.verification.documents import Document, load_documents
from pieced_billing.verification.read_tenants import read_tenants
from pieced_billing.verification.replay import Known, Replay
from pieced_billing.verification.tenant_facts import TenantFacts
from pieced_billing.verification.then import Months, Settings
from pieced_billing.verification.versions_then import PricesThen, load_terms_then

SHOWN: Final = 1000
"""So many differences are kept; of more only their number is."""
_ORGS_AT_ONCE: Final = 200

_ORGS: Final = 'SELECT DISTINCT zitadel_org_id COLLATE "C" FROM invoices ORDER BY 1'
_ORG_OF: Final = "SELECT zitadel_org_id FROM invoices WHERE number = %s"
_TENANTS: Final = "SELECT zitadel_org_id, tenant_uid FROM tenant_billing_lifecycle WHERE zitadel_org_id = ANY(%s)"
_BILLED: Final = "SELECT tenant_uid, period_start, days, read_to FROM billed_days WHERE tenant_uid = ANY(%s)"
_STRAY: Final = """
SELECT invoice_id, position, 'invoice_lines' FROM invoice_lines
WHERE NOT EXISTS (SELECT FROM invoices WHERE invoices.id = invoice_id)
UNION ALL
SELECT invoice_id, NULL, 'invoice_documents' FROM invoice_documents
WHERE NOT EXISTS (SELECT FROM invoices WHERE invoices.id = invoice_id)
ORDER BY 1, 2
"""


@dataclass(slots=True)
class Verified:
    """How much was looked at, and what differs; `unproved` are the documents from before proofs were kept."""

    documents: int = 0
    unproved: int = 0
    tenants: int = 0
    found: int = 0
    differences: list[Difference] = field(default_factory=list)

    def note(self, found: Iterable[Difference]) -> None:
        """Count differences and keep the first."""
        for one in found:
            self.found += 1
            if len(self.differences) < SHOWN:
                self.differences.append(one)

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "documents": self.documents,
            "unproved": self.unproved,
            "tenants": self.tenants,
            "found": self.found,
            "differences": [one.document() for one in self.differences],
        }


def verify(connection: Connection, number: str | None = None) -> Verified:
    """Make every document again, or one with what it stands on, and compare; all as one moment shows it.

    Nobody has to wait meanwhile. `connection` must not be inside a transaction. In memory are the documents and facts
    of some hundred organisations. Raises UnknownInvoice.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        return Verification(connection).run(number)


class Verification:
    """One pass over the documents, inside of a transaction that sees one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._months = Months(PricesThen(connection))
        settings = load_settings(connection)
        self._settings = Settings(settings.zone.key, settings.billing_start)
        self._ledger = LinkedRows(connection)
        self._verified = Verified()

    def run(self, number: str | None) -> Verified:
        """Verify all documents, or only one, of which the number is given."""
        for orgs in self._orgs(number):
            self._organisations(orgs, number)
        if number is None:
            self._verified.note(self._numbers())
            rows = self._connection.execute(_STRAY)
            self._verified.note(
                Difference("", position, f"{table} of id {invoice_id}", "a row", "nothing: no invoice has this id")
                for invoice_id, position, table in rows
            )
        return self._verified

    def _orgs(self, number: str | None) -> Iterator[list[str]]:
        rows = self._connection.execute(_ORGS if number is None else _ORG_OF, None if number is None else [number])
        orgs = [org for (org,) in rows]
        if number is not None and not orgs:
            raise UnknownInvoice(number)
        for start in range(0, len(orgs), _ORGS_AT_ONCE):
            yield orgs[start : start + _ORGS_AT_ONCE]

    def _organisations(self, orgs: Sequence[str], number: str | None) -> None:
        documents = load_documents(self._connection, orgs)
        uids = self._uids(documents)
        named = sorted({uid for of_org in uids.values() for uid in of_org})
        facts: dict[str, TenantFacts] = {}
        flaws: dict[str, list[Difference]] = {}
        for one, findings in read_tenants(self._ledger, named):
            facts[one.uid] = one
            flaws[one.uid] = [
                Difference("", None, finding.sentence(), "a row that was changed", "the row as it was recorded")
                for finding in findings
            ]
        terms = load_terms_then(self._connection, _lasts(documents))
        billed = self._billed(named)
        for org in orgs:
            if documents.get(org):
                of_org = Known(org, terms[org], {uid: facts[uid] for uid in uids[org]})
                self._organisation(of_org, documents[org], billed, number)
        self._verified.tenants += len(named)
        self._verified.note(one for uid in named for one in flaws[uid])

    def _organisation(
        self,
        known: Known,
        documents: Sequence[Document],
        billed: Mapping[str, Mapping[Key, Billed]],
        number: str | None,
    ) -> None:
        replay, days = Replay(known, self._months, self._settings), BilledDays()
        for document in documents:
            found: list[Difference] = []
            try:
                right = replay.next(document)
            except Refused as refusal:
                found.append(Difference(document.number, None, "invoices", "a document", str(refusal)))
            except (ArithmeticError, LookupError, ValueError) as error:  # what was changed by hand may have no meaning
                reason = f"it cannot be made again: {type(error).__name__}: {error}"
                found.append(Difference(document.number, None, "invoices", "a document", reason))
            else:
                found.extend(differences(document, right))
                reversal = right.reversal
                completes = reversal is not None and reversal.completes
                by_id = replay.reissued.by_id
                days.add(by_id[document.id], by_id[reversal.invoice_id] if reversal and completes else None)
            if number is None or number == document.number:
                self._verified.documents += 1
                self._verified.unproved += document.output_hash is None
                self._verified.note(found)
        of_org = {key: row for uid in known.facts for key, row in billed[uid].items()}
        self._verified.note(one for one in days.differences(of_org) if number is None or one.number == number)

    def _uids(self, documents: Mapping[str, Sequence[Document]]) -> Mapping[str, set[str]]:
        """The tenants of each organisation: those that its bills name, and all where one of them names none."""
        found: dict[str, set[str]] = {
            org: {uid for one in of_org if one.stands_on is not None for uid in one.stands_on.links}
            for org, of_org in documents.items()
        }
        silent = [
            org
            for org, of_org in documents.items()
            if any(one.stands_on is None and one.credits is None for one in of_org)
        ]
        if silent:
            for org, uid in self._connection.execute(_TENANTS, [silent]):
                found[org].add(uid)
        return found

    def _billed(self, uids: Sequence[str]) -> Mapping[str, Mapping[Key, Billed]]:
        rows = self._connection.execute(_BILLED, [list(uids)])
        found: dict[str, dict[Key, Billed]] = {uid: {} for uid in uids}
        for uid, first, days, read_to in rows:
            found[uid][uid, first] = Billed(days, read_to)
        return found

    def _numbers(self) -> Iterator[Difference]:
        """Numbers that nobody can account for."""
        for numbering in numberings(self._connection):
            for one in unsound_counter(numbering.name, numbering.last_number, numbering.accounted_for()):
                yield Difference("", None, numbering.name, one.what, "numbers without gaps")


def _lasts(documents: Mapping[str, Sequence[Document]]) -> Mapping[str, set[int]]:
    """The versions of terms that bills name, by organisation."""
    return {
        org: {one.stands_on.terms for one in of_org if one.stands_on is not None} for org, of_org in documents.items()
    }
