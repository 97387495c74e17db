"""What makes a PDF with its e-invoice in it a Factur-X and ZUGFeRD document: its metadata (Factur-X 1.0).

The template attaches the XML. Programs look for four properties in the metadata, and PDF/A wants them described in
the document itself.
"""

import io
from typing import Final

ATTACHMENT: Final = "factur-x.xml"
_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES: Final = (
    ("DocumentFileName", ATTACHMENT, "name of the embedded XML invoice"),
    ("DocumentType", "INVOICE", "INVOICE"),
    ("Version", "1.0", "version of the standard that the XML invoice follows"),
    ("ConformanceLevel", "EN 16931", "profile of the XML invoice"),
)
_SCHEMAS_END: Final = "</rdf:Bag></pdfaExtension:schemas>"


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
)
_SAID: Final = "".join(f'<fx:{name} xmlns:fx="{_NAMESPACE}">{value}</fx:{name}>' for name, value, _ in _PROPERTIES)


def as_factur_x(pdf: bytes) -> bytes:
    """A PDF/A with the attachment, marked as what it is; the same bytes for the same bytes."""
    import pikepdf  # noqa: PLC0415 - most commands make no document

    with pikepdf.open(io.BytesIO(pdf)) as document:
        metadata = document.Root.Metadata.read_bytes().decode()
        assert metadata.count(_SCHEMAS_END) == 1, "typst describes schemas of its own, in one place"
        marked = metadata.replace(_SCHEMAS_END, f"{_SCHEMA}{_SCHEMAS_END}{_SAID}")
        document.Root.Metadata.write(marked.encode())
        saved = io.BytesIO()
        document.save(saved, deterministic_id=True)
    return saved.getvalue()


def embedded_e_invoice(pdf: bytes) -> bytes | None:
    """The XML in a document; None where it has none."""
    import pikepdf  # noqa: PLC0415

    with pikepdf.open(io.BytesIO(pdf)) as document:
        attached = document.attachments.get(ATTACHMENT)
        return None if attached is None else attached.get_file().read_bytes()
