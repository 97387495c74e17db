"""Text in the characters of Swiss payment slips (SIX implementation guidelines QR-bill 2.3, character set).

What only looks different is written with the letters that the slips have; what they cannot say is refused with the name
of its field, so that nothing unreadable is printed or put into a QR code.
"""

import re
import unicodedata
from typing import ClassVar, Final

from pieced_billing.errors import Refused

_UNFIT: Final = re.compile("[^ -~\u00a0-\u017f\u0218-\u021b\u20ac]")
"""Anything but Basic Latin without its controls, Latin-1 Supplement, Latin Extended-A, Ș ș Ț ț and €."""
_LETTERS: Final = "[!-~\u00a1-\u00ac\u00ae-\u017f\u0218-\u021b\u20ac]+"
_PLAIN: Final = re.compile(f"(?:{_LETTERS}(?: {_LETTERS})*)?")
"""What is as it should be already: nearly every text, and a run of invoices judges hundreds of thousands."""
_SPELLINGS: Final = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ′", "'") | dict.fromkeys("“”„‟″", '"') | dict.fromkeys("‐‑‒–—―−", "-") | {"…": "...", "ẞ": "SS"}
)


class UnfitText(Refused):
    """A text that no Swiss payment slip can show: too long, or with a character that it does not have."""

    code: ClassVar[str] = "unfit_text"


def payment_text(field: str, text: str, longest: int) -> str:
    """`text` as one line of at most `longest` permitted characters; raises UnfitText, which names `field`.

    Letters are composed (NFC), typographic quotes and dashes become plain ones, spaces single ones, marks that nobody
    sees are left out, and a letter with an accent that the slips do not have loses it. Control characters are refused,
    line breaks among them: a payload is made of lines.

    >>> payment_text("name", "Nguyễn – Söhne", 70)
    'Nguyen - Söhne'
    """
    fitted = text if _PLAIN.fullmatch(text) else _plain(field, text)
    if len(fitted) > longest:
        raise UnfitText(f"{field} has {len(fitted)} characters; a Swiss payment slip shows at most {longest}.")
    return fitted


def _plain(field: str, text: str) -> str:
    composed = unicodedata.normalize("NFC", text).translate(_SPELLINGS)
    fitted = " ".join(filter(None, "".join(map(_fitted, composed)).split(" ")))
    if unfit := _UNFIT.search(fitted):
        raise UnfitText(f"{field} has {_called(unfit[0])}, which a Swiss payment slip cannot show.")
    return fitted


def _fitted(character: str) -> str:
    """A character as the slips write it, or itself."""
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Cf":
        return ""
    if not _UNFIT.match(character):
        return character
    letters = "".join(part for part in unicodedata.normalize("NFD", character) if not unicodedata.combining(part))
    return character if _UNFIT.search(letters) else letters


def _called(character: str) -> str:
    """How a message speaks of a character, which a terminal may not show either."""
    shown = f"{character!r} " if character.isprintable() else ""
    return f"{shown}(U+{ord(character):04X})" if shown else f"a control character (U+{ord(character):04X})"
