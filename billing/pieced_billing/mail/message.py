"""An e-mail as it goes over the wire: headers that no name can break out of, text, and what is attached."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID, uuid5

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""In bytes that every mail server takes, also one without 8BITMIME."""
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Party:
    """Who writes, or is written to: an address as it goes over the wire, and a name."""

    name: str
    address: str

    def header(self) -> Address:
        """The two as a header has them."""
        return Address(display_name=one_line(self.name), addr_spec=self.address)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message says; `pdf` is a file's name and content."""

    language: str
    subject: str
    text: str
    pdf: tuple[str, bytes] | None = None


def message(letter: Letter, sender: Party, recipient: Party, message_id: str, sent_at: datetime) -> EmailMessage:
    """The message, in US-ASCII bytes."""
    made = EmailMessage(policy=_POLICY)
    made["From"] = sender.header()
    made["Reply-To"] = sender.header()  # where a relay writes another From
    made["To"] = recipient.header()
    made["Subject"] = one_line(letter.subject, longest=200)
    made["Date"] = format_datetime(sent_at)
    made["Message-ID"] = message_id
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a machine
    made.set_content(letter.text, cte="quoted-printable")
    if letter.pdf is not None:
        name, content = letter.pdf
        made.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    made["Content-Language"] = letter.language  # last: content takes the place of every Content-… before it
    return made


def message_id(database: UUID, kind: str, subject: str, copy: int, sender: Party) -> str:
    """The id of the one copy of a message: the same however often it is sent, and no other database's.

    Another copy is wanted, and no server that drops what it knows may drop it.
    """
    named = f"{kind} {subject}" if copy == 1 else f"{kind} {subject} {copy}"
    return f"<{uuid5(database, named)}@{sender.address.rpartition('@')[2]}>"


def one_line(text: str, longest: int = _LONGEST_NAME) -> str:
    r"""A text as one line of printable characters.

    >>> one_line("Acme\r\nBcc: everybody@example.com")
    'Acme Bcc: everybody@example.com'
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = re.sub(r"\s+", " ", printable).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
