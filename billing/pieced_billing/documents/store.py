"""The documents of finalised invoices: made once, after the invoice is committed, and from then on the same bytes."""

import hashlib
from collections.abc import Iterator
from typing import ClassVar, Final

from pieced_billing.calendar import Month
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.pdf import render
from pieced_billing.errors import Refused
from pieced_billing.invoicing.document import Kind
from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.parties.issuers import issuer_at, load_issuers
from pieced_billing.store.connections import Connection

AT_ONCE: Final = 100
"""So many documents are made and stored in one transaction."""

_INVOICE: Final = """
SELECT id, kind, number, issued_on, due_on, language, recipient, content, issuing_entity, finalised_at
FROM invoices WHERE number = %s
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
    return _load(connection, number)[1]


def invoice_pdf(connection: Connection, number: str) -> bytes:
    """The PDF of an invoice: the one that is stored, which is made first where it was never asked for.

    In the caller's transaction. Raises UnknownInvoice, NotDescribed, UnfitText and DocumentDamaged.
    """
    stored = connection.execute(_STORED, [number]).fetchone()
    if stored is None:
        invoice_id, document = _load(connection, number)
        pdf = render(document)
        connection.execute(
            "INSERT INTO invoice_documents (invoice_id, pdf, sha256) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [invoice_id, pdf, hashlib.sha256(pdf).digest()],
        )
        stored = connection.execute(_STORED, [number]).fetchone()  # somebody else's, where both made it
        assert stored is not None
    pdf, sha256 = stored
    if hashlib.sha256(pdf).digest() != sha256:
        raise DocumentDamaged(number)
    return bytes(pdf)


def render_missing(connection: Connection, month: Month | None = None) -> Iterator[tuple[int, int]]:
    """Make the documents of all invoices, or of a month's, that have none.

    Yields, after each transaction, how many are made and how many are still to come. The connection must not be inside
    a transaction. Raises as `invoice_pdf` does; what was made before stays.
    """
    with connection.transaction():
        missing = [row[0] for row in connection.execute(_MISSING, {"month": None if month is None else month.first})]
    for start in range(0, len(missing), AT_ONCE):
        batch = missing[start : start + AT_ONCE]
        with connection.transaction():
            for number in batch:
                invoice_pdf(connection, number)
        yield start + len(batch), len(missing) - start - len(batch)


def _load(connection: Connection, number: str) -> tuple[int, InvoiceDocument]:
    row = connection.execute(_INVOICE, [number]).fetchone()
    if row is None:
        raise UnknownInvoice(number)
    invoice_id, kind, *frozen, issuing_entity, finalised_at = row
    frozen.append(issuer_at(load_issuers(connection), issuing_entity, finalised_at))
    return invoice_id, InvoiceDocument(Kind(kind), *frozen)
