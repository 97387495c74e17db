"""An invoice as a PDF: archivable and accessible (PDF/A-3a, PDF/UA-1), the same bytes whenever it is made.

It has its e-invoice in it, where there is one: a Factur-X document.
"""

from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import Final

import orjson
import typst

from pieced_billing.documents.e_invoice import e_invoice
from pieced_billing.documents.factur_x import ATTACHMENT, as_factur_x
from pieced_billing.documents.invoice_document import InvoiceDocument
from pieced_billing.documents.page import page

_FOLDER: Final = Path(__file__).parent
_MAIN: Final = {"main.typ": b'#include "template.typ"'}
"""The bill is a file beside it: `sys.inputs` would be part of typst's library, which is made anew when they change."""
_LOGO: Final = b'#set document(title: "Logo")\n#image(bytes(sys.inputs.logo), format: "svg", alt: "Logo")'


def render(invoice: InvoiceDocument) -> bytes:
    """The PDF, dated midnight UTC of the day of issue. Raises UnfitText for a recipient that cannot be printed."""
    xml = e_invoice(invoice)
    said = page(invoice) | {"e_invoice": None if xml is None else ATTACHMENT}
    files = _MAIN | {"bill.json": orjson.dumps(said)} | ({} if xml is None else {ATTACHMENT: xml})
    made = _compiler(get_ident()).compile(
        files,  # type: ignore[type-var]  # typst takes several files by name; its stubs do not say so
        pdf_standards=["a-3a", "ua-1"],
        timestamp=datetime.combine(invoice.issued_on, time(), UTC),
    )
    assert isinstance(made, bytes), "a PDF is one file"
    return made if xml is None else as_factur_x(made)


@cache
def _compiler(thread: int) -> typst.Compiler:  # noqa: ARG001 - a compiler makes one document at a time
    """A thread's compiler, which has read template and fonts: none of the machine, so that all print the same."""
    return typst.Compiler(root=_FOLDER, font_paths=[_FOLDER / "fonts"], ignore_system_fonts=True)


def can_print_logo(svg: str) -> bool:
    """Whether a logo can be put on a page."""
    try:
        typst.compile(_LOGO, ignore_system_fonts=True, sys_inputs={"logo": svg}, pdf_standards=["ua-1"])
    except typst.TypstError:
        return False
    return True
