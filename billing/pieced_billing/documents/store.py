"""The documents of finalised invoices: made once, after the invoice is committed, and from then on the same bytes."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.pdf import render
from pieced_billing.errors import Refused
from pieced_billing.invoicing.document import Kind
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.parties.issuers import issuer_at, load_issuers
from pieced_billing.parties.load import terms_of
from pieced_billing.parties.terms import PartyTerms
from pieced_billing.store.connections import Connection

AT_ONCE: Final = 100
"""So many documents are made and stored in one transaction."""

_INVOICES: Final = """
SELECT id, kind, number, issued_on, due_on, language, recipient, content, issuing_entity, finalised_at
FROM invoices WHERE number = ANY(%s) ORDER BY id
"""
_TERMS: Final = """
SELECT document.id, terms.field, terms.valid_from, terms.value
FROM invoices AS document JOIN invoices AS bill ON bill.id = coalesce(document.credits, document.id)
    JOIN org_terms_versions AS terms ON terms.zitadel_org_id = bill.zitadel_org_id
        AND terms.id <= (bill.stands_on -> 'terms' ->> 'last')::bigint
WHERE document.id = ANY(%s) ORDER BY terms.id
"""
_STORED: Final = """
SELECT pdf, invoice_documents.sha256 FROM invoice_documents JOIN invoices ON invoices.id = invoice_id WHERE number = %s
"""
_MISSING: Final = """
SELECT number FROM invoices
WHERE (%(month)s::date IS NULL OR period_start = %(month)s)
    AND NOT EXISTS (SELECT FROM invoice_documents WHERE invoice_id = invoices.id)
ORDER BY id
"""


class DocumentDamaged(Refused):
    """A stored document is not what was stored: it is neither shown nor made again."""

    code: ClassVar[str] = "document_damaged"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"The document of {number} was changed after it was stored: its SHA-256 is not the recorded one."
        )


def load_invoice_document(connection: Connection, number: str) -> InvoiceDocument:
    """A finalised invoice or credit note, with who issued it. Raises UnknownInvoice and NotDescribed."""
    return _load_one(connection, number)[1]


def invoice_pdf(connection: Connection, number: str) -> bytes:
    """The PDF of an invoice: the one that is stored, which is made first where it was never asked for.

    In the caller's transaction. Raises UnknownInvoice, NotDescribed, UnfitText and DocumentDamaged.
    """
    stored = connection.execute(_STORED, [number]).fetchone()
    if stored is None:
        invoice_id, document = _load_one(connection, number)
        _store(connection, [(invoice_id, render(document))])
        stored = connection.execute(_STORED, [number]).fetchone()  # somebody else's, where both made it
        assert stored is not None
    pdf, sha256 = stored
    if hashlib.sha256(pdf).digest() != sha256:
        raise DocumentDamaged(number)
    return bytes(pdf)


def render_missing(connection: Connection, month: Month | None = None) -> Iterator[tuple[int, int]]:
    """Make the documents of all invoices, or of a month's, that have none, on every processor.

    Yields, after each transaction, how many are made and how many are still to come. The connection must not be inside
    a transaction. Raises as `invoice_pdf` does; what was made before stays.
    """
    with connection.transaction():
        missing = [row[0] for row in connection.execute(_MISSING, {"month": None if month is None else month.first})]
    made = 0
    with closing(_rendered(connection, missing)) as batches:
        for pdfs in batches:
            with connection.transaction():
                _store(connection, pdfs)
            made += len(pdfs)
            yield made, len(missing) - made


def _rendered(connection: Connection, numbers: Sequence[str]) -> Generator[list[tuple[int, bytes]], None, None]:
    """The documents of these invoices by id, in batches; while one is stored, the next one is made already."""
    threads = ThreadPoolExecutor(os.cpu_count())  # typst lets other threads run while it works
    coming: list[tuple[int, Future[bytes]]] = []
    try:
        for start in range(0, len(numbers), AT_ONCE):
            with connection.transaction():
                loaded = _load(connection, numbers[start : start + AT_ONCE])
            following = [(invoice_id, threads.submit(render, document)) for invoice_id, document in loaded]
            if coming:
                yield _results(coming)
            coming = following
        if coming:
            yield _results(coming)
    finally:
        threads.shutdown(cancel_futures=True)


def _results(batch: Iterable[tuple[int, Future[bytes]]]) -> list[tuple[int, bytes]]:
    return [(invoice_id, pdf.result()) for invoice_id, pdf in batch]


def _load_one(connection: Connection, number: str) -> tuple[int, InvoiceDocument]:
    found = _load(connection, [number])
    if not found:
        raise UnknownInvoice(number)
    return found[0]


def _load(connection: Connection, numbers: Sequence[str]) -> list[tuple[int, InvoiceDocument]]:
    """The invoices among those of these numbers, with their ids."""
    rows = connection.execute(_INVOICES, [list(numbers)]).fetchall()
    issuers = load_issuers(connection)
    found: list[tuple[int, InvoiceDocument]] = []
    for invoice_id, kind, *frozen, issuing_entity, finalised_at in rows:
        frozen.append(issuer_at(issuers, issuing_entity, finalised_at))
        found.append((invoice_id, InvoiceDocument(Kind(kind), *frozen)))
    untaxed = [invoice_id for invoice_id, one in found if any(not Decimal(vat["rate"]) for vat in one.content["vat"])]
    terms = _load_terms(connection, untaxed) if untaxed else {}
    return [(of, replace(one, terms=terms[of]) if of in terms else one) for of, one in found]


def _load_terms(connection: Connection, ids: Sequence[int]) -> Mapping[int, PartyTerms]:
    """The terms that documents, or the bills that they credit, stand on: they say why something has no VAT."""
    found: defaultdict[int, list[tuple[str, date | None, str | None]]] = defaultdict(list)
    for invoice_id, *version in connection.execute(_TERMS, [list(ids)]):
        found[invoice_id].append(tuple(version))
    return {invoice_id: terms_of(tuple(versions)) for invoice_id, versions in found.items()}


def _store(connection: Connection, pdfs: Iterable[tuple[int, bytes]]) -> None:
    """Keep documents by the id of their invoice; one that is there stays."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO invoice_documents (invoice_id, pdf, sha256) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(invoice_id, pdf, hashlib.sha256(pdf).digest()) for invoice_id, pdf in pdfs],
        )
