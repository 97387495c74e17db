"""VAT numbers of Switzerland: a company's UID, whose last digit checks the others (modulo 11)."""

import re
from typing import Final

MISTYPED: Final = "must be a VAT number without a mistake in it, such as CHE-107.787.577 MWST"
_SWISS: Final = re.compile(r"CHE[ -]?([0-9]{3})[ .]?([0-9]{3})[ .]?([0-9]{3})(?: ?(MWST|TVA|IVA|VAT))?")
_WEIGHTS: Final = (5, 4, 3, 2, 7, 6, 5, 4, 1)


def vat_number(text: str) -> str | None:
    """A VAT number; a Swiss one, which begins with CHE, as it is officially written, or None where it is mistyped.

    >>> vat_number("che107787577 mwst")
    'CHE-107.787.577 MWST'
    >>> vat_number("DE 136695976")
    'DE 136695976'
    """
    written = " ".join(text.upper().split())
    if not written.startswith("CHE"):
        return text
    parts = _SWISS.fullmatch(written)
    if parts is None or not _is_checked("".join(parts.group(1, 2, 3))):
        return None
    uid = f"CHE-{'.'.join(parts.group(1, 2, 3))}"
    return uid if parts[4] is None else f"{uid} {parts[4]}"


def _is_checked(digits: str) -> bool:
    """Whether the sum of the digits, each times its weight, can be divided by 11."""
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0
