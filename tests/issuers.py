"""Those who issue invoices, as a test needs them."""

import yaml

from pieced_billing.documents.issuers import apply_issuers
from pieced_billing.store.connections import Connection


def describe(connection: Connection, **fields: object) -> None:
    """Describe an issuer of Zürich, `default` with a QR-IBAN if nothing else is said."""
    said = {"issuer": "default", "name": "Pieced AG", "postcode": "8004", "town": "Zürich", "country": "CH"}
    with connection.transaction():
        content = yaml.safe_dump({"issuers": [{**said, "iban": "CH44 3199 9123 0008 8901 2", **fields}]})
        apply_issuers(connection, content.encode(), "issuers.yaml")


def set_minimum(connection: Connection, amount: str) -> None:
    """The minimum amount of invoices from now on."""
    describe(connection, minimum_amount_chf=amount)
