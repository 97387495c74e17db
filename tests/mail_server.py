"""A real mail server for tests: it keeps what it takes, and refuses, postpones or breaks off as it is told."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.faults.loop_thread import LoopThread

USER, PASSWORD = "pieced", "correct horse battery staple"


@dataclass
class MailServer:
    """What it took, and what it answers next to MAIL, RCPT (by address) and DATA."""

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    sessions: int = 0
    mail: list[str] = field(default_factory=list)
    rcpt: dict[str, list[str]] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    breaks_before_data: int = 0
    breaks_after_data: int = 0

    def env(self, **more: str) -> dict[str, str]:
        """The settings of a command that uses it, as it is."""
        where = {"PIECED_SMTP_HOST": "127.0.0.1", "PIECED_SMTP_PORT": str(self.port)}
        return where | {"PIECED_SMTP_SECURITY": "none"} | more

    def subjects(self) -> list[str]:
        """What it took, by subject."""
        return [str(message["Subject"]) for _, message in self.taken]

    # What aiosmtpd calls.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.mail.pop(0) if self.mail else "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt.get(address):
            return self.rcpt[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.extend((recipient, message) for recipient in envelope.rcpt_tos)
        if self.breaks_after_data:
            self.breaks_after_data -= 1
            _break_off(server)
        return "250 OK"


class _Protocol(SMTP):
    """aiosmtpd's, that counts connections and can break off in the middle of a message."""

    def __init__(self, server: MailServer, **options: Any) -> None:
        super().__init__(server, hostname="mail.example", **options)
        self._told = server

    def connection_made(self, transport: Any) -> None:
        if self.session is None:  # not again when TLS begins
            self._told.sessions += 1
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not self._told.breaks_before_data:
            await super().smtp_DATA(arg)
            return
        self._told.breaks_before_data -= 1
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        await self._reader.readuntil(b"\r\n")
        _break_off(self)


def _break_off(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@contextmanager
def mail_server(loop: LoopThread, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> Iterator[MailServer]:
    """A server on a port of its own; with `tls` it offers STARTTLS, or is `implicit`ly encrypted, and wants a login."""
    made = MailServer()

    def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        wanted = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == wanted, handled=False)

    options: dict[str, Any] = {}
    if tls is not None:
        options = {"authenticator": login, "auth_require_tls": not implicit}
        options |= {} if implicit else {"auth_required": True, "tls_context": tls}

    async def listen() -> Any:
        running = asyncio.get_running_loop()
        return await running.create_server(
            lambda: _Protocol(made, loop=running, **options), "127.0.0.1", 0, ssl=tls if implicit else None
        )

    async def close() -> None:
        listening.close()

    listening = loop.run(listen())
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        loop.run(close())


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on 127.0.0.1 shows, signed by itself, and the file by which it is trusted."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    trusted, secret = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, secret)
    return context, trusted
