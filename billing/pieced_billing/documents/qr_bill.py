"""The Swiss QR-bill: what the code of a payment part says (SIX implementation guidelines QR-bill 2.3)."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from pieced_billing.documents.payment_reference import payment_reference, reference_type
from pieced_billing.money import amount_text
from pieced_billing.parties.iban import swiss_iban
from pieced_billing.parties.postal_address import PostalAddress

SMALLEST: Final = Decimal("0.01")
LARGEST: Final = Decimal("999999999.99")
"""The amounts in CHF that a payment part can ask for."""

_HEADER: Final = ("SPC", "0200", "1")
_TRAILER: Final = "EPD"
_STRUCTURED: Final = "S"
_NO_ADDRESS: Final = ("",) * 7


@dataclass(frozen=True, slots=True)
class QrBill:
    """A payment that is asked for: `amount` in CHF to `creditor`, under `reference`.

    Made by `qr_bill`, which sees to it that every field is within the guidelines. `debtor` is None where the address is
    not known in full: whoever pays writes it by hand.
    """

    iban: str
    creditor: PostalAddress
    amount: Decimal
    debtor: PostalAddress | None
    reference: str
    message: str

    @property
    def payload(self) -> str:
        """What the code says: 31 lines in their fixed order."""
        return "\n".join(
            (
                *_HEADER,
                self.iban,
                *_lines(self.creditor),
                *_NO_ADDRESS,  # of an ultimate creditor, which the guidelines reserve for later
                amount_text(self.amount),
                "CHF",
                *_lines(self.debtor),
                reference_type(self.iban),
                self.reference,
                self.message,
                _TRAILER,
            )
        )


def qr_bill(
    iban: str, creditor: PostalAddress, amount: Decimal, debtor: PostalAddress | None, number: str
) -> QrBill | None:
    """The payment part of the invoice with this number; None for an amount that none can ask for: zero and less.

    Raises BadIban and BadReference. Addresses are within their limits by their type.
    """
    account = swiss_iban(iban)
    if not SMALLEST <= amount <= LARGEST:
        return None
    return QrBill(account, creditor, amount, debtor, payment_reference(account, number), number)


def _lines(address: PostalAddress | None) -> tuple[str, ...]:
    if address is None:
        return _NO_ADDRESS
    return (_STRUCTURED, *(getattr(address, field.name) or "" for field in fields(address)))
