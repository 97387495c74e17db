"""E-mails as values: whom they can go to, what they say in each language, and that no name breaks out of a header."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest

from pieced_billing.errors import UsageError
from pieced_billing.invoicing.document import Kind
from pieced_billing.mail.address import mail_address
from pieced_billing.mail.invoice_letter import invoice_letter
from pieced_billing.mail.message import Letter, Party, message, message_id
from pieced_billing.mail.settings import Security, SmtpSettings, smtp_settings
from pieced_billing.parties.organisation import LANGUAGES
from tests.invoice_documents import NUMBER, an_invoice

AT = datetime(2026, 4, 1, 8, 30, tzinfo=UTC)
SENDER, RECIPIENT = Party("Pieced AG", "billing@pieced.example"), Party("Müller & Söhne", "a@acme.example")
SECRET = "hunter2!"
HOST = {"PIECED_SMTP_HOST": "smtp.example.com"}
LOGIN = HOST | {"PIECED_SMTP_USER": "pieced", "PIECED_SMTP_PASSWORD": SECRET}


def sent(letter: Letter, sender: Party = SENDER, recipient: Party = RECIPIENT) -> tuple[bytes, EmailMessage]:
    """The bytes of a message, and what a mail program reads in them."""
    content = message(letter, sender, recipient, "<id@pieced.example>", AT).as_bytes()
    read = message_from_bytes(content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return content, read


def body(read: EmailMessage) -> str:
    part = read.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    "text",
    [
        *("", "acme", "@acme.example", "a@", "a@localhost", "a@b@acme.example", "a b@acme.example", "a@acme..example"),
        *("a@acme.example, b@acme.example", "A <a@acme.example>", "a@acme.example\r\nBcc: b@acme.example", ".a@b.ch"),
        *("é@acme.example", f"{'a' * 65}@acme.example", f"a@{'b' * 64}.ch", f"a@{'b.' * 130}ch", "a@-acme.example"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert mail_address(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("billing@acme.example", "billing@acme.example"),
        (" First.Last+tag@Acme.Example\n", "First.Last+tag@acme.example"),
        ("info@bücher.ch", "info@xn--bcher-kva.ch"),
    ],
)
def test_what_is_an_address(text: str, address: str) -> None:
    assert mail_address(text) == address


def test_an_invoice_as_its_customer_receives_it() -> None:
    content, read = sent(invoice_letter(an_invoice(), b"%PDF-1.7 it"))
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 78
    assert read["From"] == read["Reply-To"] == "Pieced AG <billing@pieced.example>"
    assert read["To"] == "Müller & Söhne <a@acme.example>"
    assert read["Subject"] == "Rechnung INV-2026-000001, Pieced AG"
    assert (read["Date"], read["Message-ID"]) == ("Wed, 01 Apr 2026 08:30:00 +0000", "<id@pieced.example>")
    assert (read["Content-Language"], read["Auto-Submitted"]) == ("de", "auto-generated")
    assert body(read).splitlines() == [
        "Guten Tag",
        "",
        "Im Anhang finden Sie die Rechnung INV-2026-000001 für die Zeit vom 01.03.2026 bis 31.03.2026 über CHF 148.21.",
        "Zahlbar bis 01.05.2026 ohne Abzug.",
        "",
        "Freundliche Grüsse",
        "Pieced AG",
    ]
    (attached,) = read.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("application/pdf", f"{NUMBER}.pdf")
    assert attached.get_payload(decode=True) == b"%PDF-1.7 it"


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("de", "Gutschrift", "Der Betrag wird Ihnen gutgeschrieben."),
        ("fr", "Note de crédit", "d’un montant de CHF 1’148.21."),
        ("it", "Nota di credito", "per un importo di CHF 1’148.21."),
        ("en", "Credit note", "amounting to CHF 1’148.21."),
    ],
)
def test_a_credit_note_in_each_language(language: str, subject: str, said: str) -> None:
    """Its amount is said as what is given back, written as on the page."""
    _, read = sent(invoice_letter(an_invoice(language, kind=Kind.CREDIT_NOTE, gross="-1148.21"), b"%PDF"))
    assert read["Subject"] == f"{subject} INV-2026-000001, Pieced AG"
    assert said in body(read)
    assert read["Content-Language"] == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_to_be_filled_in(language: str) -> None:
    letter = invoice_letter(an_invoice(language, gross="0.00"), b"%PDF")
    assert "{" not in letter.subject + letter.text


@pytest.mark.parametrize(
    "name", ["Acme\r\nBcc: everybody@example.com", "Acme\nX: 1", "\x00Acme\x85AG\u2028", "é" * 5000]
)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    content, read = sent(Letter("de", name, name), Party(name, SENDER.address), Party(name, RECIPIENT.address))
    assert set(read.keys()) == {
        *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    assert read["To"].addresses[0].addr_spec == RECIPIENT.address
    assert len(read["To"].addresses) == 1
    assert content.isascii()


def test_a_message_has_one_id_and_no_other_has_it() -> None:
    """Nor has the same number of another database."""
    first, second = UUID(int=1), UUID(int=2)
    ids = [message_id(database, "invoice", NUMBER, 1, SENDER) for database in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@pieced.example>")
    assert message_id(first, "retention", NUMBER, 1, SENDER) != ids[0]
    assert message_id(first, "invoice", NUMBER, 2, SENDER) != ids[0], "a copy that is wanted is not a duplicate"


def test_the_mail_server_of_the_environment() -> None:
    assert smtp_settings(HOST) == SmtpSettings("smtp.example.com", 587, Security.STARTTLS, None)
    tls = smtp_settings(LOGIN | {"PIECED_SMTP_SECURITY": "tls"})
    assert tls == SmtpSettings("smtp.example.com", 465, Security.TLS, "pieced", SECRET)
    assert SECRET not in repr(tls)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "PIECED_SMTP_HOST names the mail server"),
        (HOST | {"PIECED_SMTP_HOST": "smtp://x"}, "PIECED_SMTP_HOST names the mail server"),
        (HOST | {"PIECED_SMTP_PORT": "0"}, "'0'; it is a number from 1 to 65535"),
        (HOST | {"PIECED_SMTP_PORT": "smtp"}, "'smtp'; it is a number"),
        (HOST | {"PIECED_SMTP_SECURITY": "ssl"}, "'ssl'; it is starttls, tls, none."),
        (HOST | {"PIECED_SMTP_USER": "pieced"}, "go together"),
        (HOST | {"PIECED_SMTP_PASSWORD": SECRET}, "go together"),
        (LOGIN | {"PIECED_SMTP_SECURITY": "none"}, "would be sent for everybody to read"),
        (LOGIN | {"PIECED_SMTP_PASSWORD_FILE": "/nowhere"}, "both set"),
        (HOST | {"PIECED_SMTP_USER": "pieced", "PIECED_SMTP_PASSWORD_FILE": "/nowhere"}, "cannot be read as text"),
        (LOGIN | {"PIECED_SMTP_PASSWORD": f"{SECRET}é"}, "characters that SMTP cannot carry"),
    ],
)
def test_settings_that_are_written_wrong(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=r".") as refused:
        smtp_settings(environment)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)
