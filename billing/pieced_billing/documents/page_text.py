"""Text as a page can show it: in the characters of its font, in lines that fit."""

import re
import unicodedata
from typing import Final

_UNSHOWABLE: Final = re.compile(
    "[^ -~\u00a0-\u017f\u0218-\u021b\u0391-\u03a1\u03a3-\u03ce\u0400-\u045f\u2010-\u2022\u20ac]"
)
"""Anything but Latin, Greek and Cyrillic letters, which both weights of the font have, and common punctuation."""
_REPLACEMENT: Final = "□"
_LONG_WORD: Final = re.compile(r"\S{18}(?=\S)")


def page_text(text: str, longest: int = 80) -> str:
    r"""A name that nobody wrote for print, of a tenant, say: what the font does not have becomes an empty box.

    At most `longest` characters, and a line may break inside.

    >>> page_text("acme\n🏔")
    'acme□□'
    """
    shown = _UNSHOWABLE.sub(_REPLACEMENT, unicodedata.normalize("NFC", text))
    return wrappable(shown if len(shown) <= longest else f"{shown[: longest - 1]}…")


def wrappable(text: str) -> str:
    """`text` with places in words longer than a column where a line may break (zero width spaces)."""
    return _LONG_WORD.sub("\\g<0>\u200b", text)
