"""E-mail addresses, judged before a mail server is asked."""

import re
from typing import Final

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LOCAL_LIMIT: Final = 64
_LIMIT: Final = 254


def mail_address(text: str) -> str | None:
    """The one address that a text is, as it goes over the wire (RFC 5321, 4.1.2; domains by IDNA); None for any other.

    Local parts beyond ASCII and in quotes are none: few servers take them.

    >>> mail_address("  billing@Zürich.example ")
    'billing@xn--zrich-kva.example'
    >>> mail_address("a@acme.example, b@acme.example") is None
    True
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        wire = domain.encode("idna").decode().lower()
    except UnicodeError:
        return None
    sound = at and len(local) <= _LOCAL_LIMIT and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(wire)
    address = f"{local}@{wire}"
    return address if sound and len(address) <= _LIMIT else None
