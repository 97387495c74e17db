"""What makes a PDF with its e-invoice in it a Factur-X and ZUGFeRD document: its metadata (Factur-X 1.0).

The template attaches the XML. Programs look for four properties in the metadata, and PDF/A wants them described in
the document itself.
"""

import io
import re
from typing import Final

ATTACHMENT: Final = "factur-x.xml"
_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES: Final = (
    ("DocumentFileName", ATTACHMENT, "name of the embedded XML invoice"),
    ("DocumentType", "INVOICE", "INVOICE"),
    ("Version", "1.0", "version of the standard that the XML invoice follows"),
    ("ConformanceLevel", "EN 16931", "profile of the XML invoice"),
)
_SCHEMAS_END: Final = b"</rdf:Bag></pdfaExtension:schemas>"
_METADATA: Final = re.compile(
    rb"\n(?P<number>\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(?P<content>.*?)\nendstream",
    re.DOTALL,
)
_TRAILER: Final = re.compile(rb"trailer\n<<(?P<entries>.*)>>\nstartxref\n(?P<listed_at>\d+)\n%%EOF", re.DOTALL)


def _described(name: str, description: str) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
    )


_SCHEMA: Final = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
    f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
    "<pdfaSchema:property><rdf:Seq>"
    + "".join(_described(name, description) for name, _, description in _PROPERTIES)
    + "</rdf:Seq></pdfaSchema:property></rdf:li>"
).encode()
_SAID: Final = "".join(
    f'<fx:{name} xmlns:fx="{_NAMESPACE}">{value}</fx:{name}>' for name, value, _ in _PROPERTIES
).encode()


def as_factur_x(pdf: bytes) -> bytes:
    """A PDF/A with the attachment, marked as what it is; the same bytes for the same bytes.

    Appended as a change (ISO 32000-1, 7.5.6): new metadata, where they are, and where everything else is listed. To
    write the whole document anew took as long as setting a quarter of it.
    """
    found = _METADATA.search(pdf, pdf.rindex(b"\nendobj", 0, pdf.rindex(b"/Type/Metadata")))
    trailer = _TRAILER.search(pdf, pdf.rindex(b"trailer"))
    assert found is not None
    assert trailer is not None
    assert found["content"].count(_SCHEMAS_END) == 1, "typst describes schemas of its own, in one place"
    content = found["content"].replace(_SCHEMAS_END, b"".join((_SCHEMA, _SCHEMAS_END, _SAID)))
    metadata = b"%b 0 obj\n<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%b\nendstream\nendobj\n" % (
        found["number"],
        len(content),
        content,
    )
    changed_at = len(pdf) + 1
    listed = b"xref\n%b 1\n%010d 00000 n\r\ntrailer\n<<%b/Prev %b>>\nstartxref\n%d\n%%%%EOF\n" % (
        found["number"],
        changed_at,
        trailer["entries"],
        trailer["listed_at"],
        changed_at + len(metadata),
    )
    return b"".join((pdf, b"\n", metadata, listed))


def embedded_e_invoice(pdf: bytes) -> bytes | None:
    """The XML in a document; None where it has none."""
    import pikepdf  # noqa: PLC0415

    with pikepdf.open(io.BytesIO(pdf)) as document:
        attached = document.attachments.get(ATTACHMENT)
        return None if attached is None else attached.get_file().read_bytes()
