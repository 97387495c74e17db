"""`pieced verify`: whether every issued invoice is what the facts make it, and what differs where one is not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from psycopg import IsolationLevel

from pieced_billing.errors import Refused
from pieced_billing.invoicing.issued import Numbering, numberings
from pieced_billing.invoicing.known_versions import known_issuers
from pieced_billing.ledger.linked_rows import LinkedRows
from pieced_billing.ledger.soundness import unsound_counter
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import database_id, load_settings
from pieced_billing.verification.billed_days import Billed, BilledDays, Key
from pieced_billing.verification.certificate import Certificate, Issued
from pieced_billing.verification.differences import Difference, differences
from pieced_billing.verification.documents import Document, load_documents
from pieced_billing.verification.read_tenants import read_tenants
from pieced_billing.verification.replay import Known, Replay
from pieced_billing.verification.scope import billed_days, in_batches, organisations, tenants
from pieced_billing.verification.tenant_facts import TenantFacts
from pieced_billing.verification.then import Months, Settings
from pieced_billing.verification.verified import Verified
from pieced_billing.verification.versions_then import PricesThen, load_terms_then

_STRAY: Final = """
SELECT invoice_id, position, 'invoice_lines' FROM invoice_lines
WHERE NOT EXISTS (SELECT FROM invoices WHERE invoices.id = invoice_id)
UNION ALL
SELECT invoice_id, NULL, 'invoice_documents' FROM invoice_documents
WHERE NOT EXISTS (SELECT FROM invoices WHERE invoices.id = invoice_id)
ORDER BY 1, 2
"""


def verify(connection: Connection, number: str | None = None, against: Certificate | None = None) -> Verified:
    """Make every document again, or one with what it stands on, and compare; all as one moment shows it.

    All documents are also held `against` a certificate, where one is given. Nobody has to wait meanwhile. `connection`
    must not be inside a transaction. In memory are the documents and facts of some hundred organisations, and a hash of
    each document. Raises UnknownInvoice.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        return Verification(connection).run(number, against)


class Verification:
    """One pass over the documents, inside of a transaction that sees one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._months = Months(PricesThen(connection), partial(known_issuers, connection))
        settings = load_settings(connection)
        self._settings = Settings(settings.zone.key, settings.billing_start)
        self._ledger = LinkedRows(connection)
        self._now = settings.now
        self._verified = Verified()
        self._issued = Issued()

    def run(self, number: str | None = None, against: Certificate | None = None) -> Verified:
        """Verify all documents, or only one, of which the number is given."""
        for orgs in organisations(self._connection, number):
            self._organisations(orgs, number)
        return self.finish(against) if number is None else self._verified

    def part(self, orgs: Sequence[str]) -> tuple[Verified, Issued]:
        """Verify the documents of some organisations: what was found, to be added to that of another pass."""
        for some in in_batches(orgs):
            self._organisations(some, None)
        return self._verified, self._issued

    def add(self, verified: Verified, issued: Issued) -> None:
        """Count what another pass found of other organisations."""
        self._verified.add(verified)
        self._issued.update(issued)

    def finish(self, against: Certificate | None) -> Verified:
        """What can be said once every document was looked at."""
        found = numberings(self._connection)
        self._verified.note(_unsound(found))
        rows = self._connection.execute(_STRAY)
        self._verified.note(
            Difference("", position, f"{table} of id {invoice_id}", "a row", "nothing: no invoice has this id")
            for invoice_id, position, table in rows
        )
        counts = self._verified.documents, self._verified.unproved
        now = Certificate.of(self._now, database_id(self._connection), counts, found, self._issued)
        if against is not None:
            self._verified.note(against.broken(now, self._issued))
        self._verified.certificate = None if self._verified.found else now
        return self._verified

    def _organisations(self, orgs: Sequence[str], number: str | None) -> None:
        documents = load_documents(self._connection, orgs)
        uids = tenants(self._connection, documents)
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
        billed = billed_days(self._connection, named)
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
                self._issued.add(document.row, document.row_hash)
                self._verified.note(found)
        of_org = {key: row for uid in known.facts for key, row in billed[uid].items()}
        self._verified.note(one for one in days.differences(of_org) if number is None or one.number == number)


def _unsound(found: Iterable[Numbering]) -> Iterator[Difference]:
    """Numbers that nobody can account for."""
    for numbering in found:
        for one in unsound_counter(numbering.name, numbering.last_number, numbering.accounted_for()):
            yield Difference("", None, numbering.name, one.what, "numbers without gaps")


def _lasts(documents: Mapping[str, Sequence[Document]]) -> Mapping[str, set[int]]:
    """The versions of terms that bills name, by organisation."""
    return {
        org: {one.stands_on.terms for one in of_org if one.stands_on is not None} for org, of_org in documents.items()
    }
