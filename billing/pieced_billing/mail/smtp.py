"""One mail server: what it takes is its own to deliver, and what it does not take says whether to try again."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from types import TracebackType
from typing import Final, Self

from pieced_billing.errors import Unavailable
from pieced_billing.mail.message import one_line
from pieced_billing.mail.settings import Security, SmtpSettings

_ANSWER_SECONDS: Final = 30.0
_ACCEPT_SECONDS: Final = 600.0
"""How long a server may think about a whole message (RFC 5321, 4.5.3.2.6): who gives up earlier sends it twice."""
_BROKEN_LIMIT: Final = 3
_TOO_LARGE: Final = 552
_CLOSING: Final = 421
_SERVER_WORDS: Final = 300


class Deferred(Exception):
    """The server does not take a message now; it may later."""


class Rejected(Exception):
    """The server never takes this message."""


class SmtpServer:
    """A connection that is made when it is needed, and again when it breaks; a context manager that ends it."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._connection: smtplib.SMTP | None = None
        self._broken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.quit()
        self._drop()

    def connect(self) -> smtplib.SMTP:
        """Be connected, encrypted as the settings say, and logged in. Raises Unavailable, which repeats no secret."""
        if self._connection is None:
            try:
                self._connection = self._connected()
            except smtplib.SMTPAuthenticationError as error:
                raise self._unavailable(f"does not accept our login ({error.smtp_code})") from None
            except smtplib.SMTPNotSupportedError as error:
                raise self._unavailable(
                    f"does not do what is asked of it: {one_line(str(error)).rstrip('.')}"
                ) from None
            except ssl.SSLCertVerificationError as error:
                raise self._unavailable(f"has no certificate that is trusted: {error.verify_message}") from None
            except smtplib.SMTPResponseException as error:
                raise self._unavailable(f"does not let us in: {_words(error.smtp_code, error.smtp_error)}") from None
            except OSError as error:
                raise self._unavailable(f"does not answer: {error.strerror or type(error).__name__}") from None
        return self._connection

    def deliver(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand a message over; whoever returns from this has it taken.

        Raises Deferred and Rejected about this message, Unavailable where no message can be sent.
        """
        content = message.as_bytes()
        try:
            smtp = self._begin(sender, len(content))
            self._judge(*smtp.rcpt(recipient))
            _wait_at_most(smtp, _ACCEPT_SECONDS)
            self._judge(*_data(smtp, content))
        except OSError as error:
            raise self._broke_off(error) from None
        self._broken = 0

    def _connected(self) -> smtplib.SMTP:
        host, port, trusted = self._settings.host, self._settings.port, ssl.create_default_context()
        if self._settings.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_ANSWER_SECONDS, context=trusted)
        else:
            smtp = smtplib.SMTP(host, port, timeout=_ANSWER_SECONDS)
        try:
            if self._settings.security is Security.STARTTLS:
                smtp.starttls(context=trusted)
            smtp.ehlo_or_helo_if_needed()
            if self._settings.user is not None:
                smtp.login(self._settings.user, self._settings.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _begin(self, sender: str, size: int) -> smtplib.SMTP:
        """MAIL FROM, on a new connection where the server has ended the one that there was."""
        is_new = self._connection is None
        smtp = self.connect()
        try:
            _wait_at_most(smtp, _ANSWER_SECONDS)
            code, text = smtp.mail(sender, [f"size={size}"] if smtp.has_extn("size") else [])
        except OSError:
            code, text = _CLOSING, b""
            if is_new:
                raise
        if code == _CLOSING and not is_new:
            self._drop()
            return self._begin(sender, size)
        if code >= 500 and code != _TOO_LARGE:
            self._drop()
            raise self._unavailable(f"takes no mail from {sender}: {_words(code, text)}")
        self._judge(code, text)
        return smtp

    def _judge(self, code: int, text: bytes) -> None:
        """Raise Deferred or Rejected for an answer that is no consent, ready for the next message."""
        if 200 <= code < 300:
            return
        if code == _CLOSING or self._connection is None:
            self._drop()
        else:
            try:
                self._connection.rset()
            except OSError:
                self._drop()
        raise (Rejected if code >= 500 else Deferred)(_words(code, text))

    def _broke_off(self, error: OSError) -> Deferred | Unavailable:
        self._drop()
        self._broken += 1
        if self._broken >= _BROKEN_LIMIT:
            return self._unavailable(f"broke off {self._broken} messages in a row")
        return Deferred(f"The connection broke: {type(error).__name__}.")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"The mail server {self._settings.host}:{self._settings.port} {what}.")


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _data(smtp: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    """DATA and the message; the answer to whichever of the two was the last."""
    try:
        return smtp.data(content)
    except smtplib.SMTPDataError as refusal:
        return refusal.smtp_code, _bytes(refusal.smtp_error)


def _words(code: int, text: bytes | str) -> str:
    """A server's answer for a person: it is not ours, and may be of any length and kind."""
    shown = _bytes(text).decode("ascii", "replace")
    return one_line(f"{code} {shown}", longest=_SERVER_WORDS).rstrip(".")


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
