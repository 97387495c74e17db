"""References of Swiss payments, and their check digits (SIX implementation guidelines QR-bill 2.3; ISO 11649)."""

from enum import StrEnum
from typing import ClassVar, Final

from pieced_billing.errors import Refused
from pieced_billing.parties.iban import is_qr_iban, modulo_97

_CARRY: Final = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


class ReferenceType(StrEnum):
    """How a payment names what it pays: by 27 digits with a QR-IBAN, by a creditor reference with any other IBAN."""

    QRR = "QRR"
    SCOR = "SCOR"


class BadReference(Refused):
    """An invoice number that does not fit into the reference of a payment."""

    code: ClassVar[str] = "bad_reference"


def reference_type(iban: str) -> ReferenceType:
    """QRR if and only if the account is a QR-IBAN."""
    return ReferenceType.QRR if is_qr_iban(iban) else ReferenceType.SCOR


def payment_reference(iban: str, number: str) -> str:
    """The reference by which a payment to `iban` names an invoice; raises BadReference.

    >>> payment_reference("CH4431999123000889012", "INV-2026-000001")
    '000000000000000020260000018'
    >>> payment_reference("CH9300762011623852957", "INV-2026-000001")
    'RF94INV2026000001'
    """
    return qr_reference(number) if is_qr_iban(iban) else creditor_reference(number)


def qr_reference(number: str) -> str:
    """27 digits: those of `number`, filled up with zeros, and the check digit (modulo 10, recursive)."""
    digits = "".join(character for character in number if character in "0123456789")
    if not 1 <= len(digits) <= 26:
        raise BadReference(f"The number {number!r} has {len(digits)} digits; a QR reference has 1 to 26.")
    filled = digits.rjust(26, "0")
    carry = 0
    for digit in filled:
        carry = _CARRY[(carry + int(digit)) % 10]
    return f"{filled}{(10 - carry) % 10}"


def creditor_reference(number: str) -> str:
    """RF, two check digits and the letters and digits of `number` (ISO 11649)."""
    body = "".join(character for character in number.upper() if character.isascii() and character.isalnum())
    if not 1 <= len(body) <= 21:
        raise BadReference(
            f"The number {number!r} has {len(body)} letters and digits; a creditor reference has 1 to 21."
        )
    return f"RF{98 - modulo_97(f'{body}RF00'):02}{body}"
