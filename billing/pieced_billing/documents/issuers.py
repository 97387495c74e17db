"""`pieced issuer apply`: what a file says of those who issue invoices, all of it or nothing."""

from pieced_billing.documents.pdf import can_print_logo
from pieced_billing.parties.issuers import record_issuers
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.parties.read_issuers import read_issuers
from pieced_billing.store.connections import Connection


def apply_issuers(connection: Connection, content: bytes, file: str) -> list[IssuingEntity]:
    """Record what a file says, in the caller's transaction; returns what is new. Raises BadFile."""
    issuers: dict[str, IssuingEntity] = {}
    for entry, issuer in read_issuers(content, file):
        if issuer.name in issuers:
            raise entry.refused(f"describes {issuer.name!r} a second time")
        if issuer.logo is not None and not can_print_logo(issuer.logo):
            raise entry.refused("has a logo that is no SVG image")
        issuers[issuer.name] = issuer
    return record_issuers(connection, issuers.values())
