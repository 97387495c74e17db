"""The payment part of a page: its texts as the guidelines group them, and its code as a picture."""

import math
import re
from dataclasses import asdict, replace
from typing import Any, Final

import zxingcpp

from pieced_billing.documents.page_text import wrappable
from pieced_billing.documents.qr_bill import QrBill
from pieced_billing.documents.slip_words import SLIP_WORDS
from pieced_billing.money import amount_text
from pieced_billing.parties.postal_address import PostalAddress

_CODE_MM: Final = 46
_DARK: Final = re.compile(rb"\0+")


def slip(bill: QrBill, language: str) -> dict[str, Any]:
    """What the template prints of a payment part."""
    return {
        "words": asdict(SLIP_WORDS[language]),
        "iban": grouped_iban(bill.iban),
        "creditor": _written(bill.creditor),
        "creditor_short": _written(_without_street(bill.creditor)),
        "reference": grouped_reference(bill.reference),
        "amount": _grouped_amount(amount_text(bill.amount)),
        "debtor": None if bill.debtor is None else _written(bill.debtor),
        "debtor_short": None if bill.debtor is None else _written(_without_street(bill.debtor)),
        "message": bill.message,
        "code": swiss_qr_code(bill.payload),
    }


def _written(address: PostalAddress) -> list[str]:
    return [wrappable(line) for line in address.lines()]


def _without_street(address: PostalAddress) -> PostalAddress:
    """What of an address a receipt shows where it has no room for all (guidelines, information section)."""
    return replace(address, street=None, house_number=None)


def grouped_iban(iban: str) -> str:
    """An account number as people read it, by four."""
    return _in_groups(iban)


def grouped_reference(reference: str) -> str:
    """A reference as people read it: creditor references by four, QR references by five from the right."""
    return _in_groups(reference) if reference.startswith("RF") else f"{reference[:2]} {_in_groups(reference[2:], 5)}"


def _in_groups(text: str, size: int = 4) -> str:
    return " ".join(text[start : start + size] for start in range(0, len(text), size))


def _grouped_amount(amount: str) -> str:
    """An amount with its thousands apart, as slips have it.

    >>> _grouped_amount("1234567.50")
    '1 234 567.50'
    """
    francs, _, rappen = amount.partition(".")
    return f"{int(francs):,}".replace(",", " ") + f".{rappen}"


def swiss_qr_code(payload: str) -> str:
    """The code as an SVG image without a quiet zone: error correction M, the text in UTF-8, the Swiss cross on it."""
    code = zxingcpp.create_barcode(payload.encode(), zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = code.to_image(scale=1, add_quiet_zones=False)
    modules = bytes(memoryview(image))  # row by row, 0 is dark
    side = math.isqrt(len(modules))
    dark = (
        f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y in range(side)
        for run in _DARK.finditer(modules[y * side : (y + 1) * side])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{"".join(dark)}"/>'
        f'<g transform="scale({side / _CODE_MM:.6f})">{_CROSS}</g></svg>'
    )


def _centred(width: float, height: float, colour: str) -> str:
    """A rectangle in the middle of the code, in millimetres."""
    left, top = (_CODE_MM - width) / 2, (_CODE_MM - height) / 2
    return f'<rect x="{left:.3f}" y="{top:.3f}" width="{width}" height="{height}" fill="{colour}"/>'


_CROSS: Final = "".join(
    _centred(*shape) for shape in ((7, 7, "#fff"), (6, 6, "#000"), (1.167, 3.889, "#fff"), (3.889, 1.167, "#fff"))
)
"""The Swiss cross of 7 mm: white on black in a white frame."""
