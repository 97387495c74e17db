"""Accounts of Swiss payments (ISO 13616; SIX implementation guidelines QR-bill 2.3)."""

import re
from typing import ClassVar, Final

from pieced_billing.errors import Refused

_IBAN: Final = re.compile(r"(?:CH|LI)[0-9]{7}[0-9A-Z]{12}")
_QR_INSTITUTIONS: Final = range(30000, 32000)


class BadIban(Refused):
    """An account number that is not a Swiss one, or was mistyped."""

    code: ClassVar[str] = "bad_iban"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"iban is {text!r}, which is not an IBAN of Switzerland or Liechtenstein without a mistake in it."
        )


def swiss_iban(text: str) -> str:
    """An IBAN of Switzerland or Liechtenstein as its 21 characters; spaces are left out. Raises BadIban.

    >>> swiss_iban("CH93 0076 2011 6238 5295 7")
    'CH9300762011623852957'
    """
    iban = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(iban) or modulo_97(iban[4:] + iban[:4]) != 1:
        raise BadIban(text)
    return iban


def is_qr_iban(iban: str) -> bool:
    """Whether it is an account for payments with a QR reference, known by the number of its institution."""
    return int(iban[4:9]) in _QR_INSTITUTIONS


def modulo_97(text: str) -> int:
    """The remainder of the number that `text` is with its letters written as 10 to 35 (ISO 7064)."""
    return int("".join(str(int(character, 36)) for character in text)) % 97
