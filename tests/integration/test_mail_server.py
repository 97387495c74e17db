"""Handing messages to a real mail server: encrypted, logged in, and with every way in which it does not take one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pieced_billing.errors import Unavailable
from pieced_billing.mail.message import Letter, Party, message
from pieced_billing.mail.settings import smtp_settings
from pieced_billing.mail.smtp import Deferred, Rejected, SmtpServer
from tests.faults.loop_thread import LoopThread
from tests.mail_server import PASSWORD, USER, MailServer, certificate, mail_server

SENDER, RECIPIENT = "billing@pieced.example", "a@acme.example"
LOGIN = {"PIECED_SMTP_USER": USER, "PIECED_SMTP_PASSWORD": PASSWORD}
MESSAGE = message(
    Letter("en", "Invoice", ".\n.. starts with dots\n" * 3),
    Party("Pieced", SENDER),
    Party("Acme", RECIPIENT),
    "<1@pieced.example>",
    datetime(2026, 4, 1, tzinfo=UTC),
)


@pytest.fixture
def server(loop: LoopThread) -> Iterator[MailServer]:
    with mail_server(loop) as made:
        yield made


def deliver(server: MailServer, **environment: str) -> None:
    with SmtpServer(smtp_settings(server.env(**environment))) as smtp:
        smtp.deliver(MESSAGE, SENDER, RECIPIENT)


def test_many_messages_over_one_connection(server: MailServer) -> None:
    with SmtpServer(smtp_settings(server.env())) as smtp:
        for _ in range(3):
            smtp.deliver(MESSAGE, SENDER, RECIPIENT)
    assert (len(server.taken), server.sessions) == (3, 1)
    recipient, taken = server.taken[0]
    assert recipient == RECIPIENT
    assert taken.get_content().splitlines() == [".", ".. starts with dots"] * 3


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(
    loop: LoopThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """Nothing is sent to a server that shows no certificate that is trusted, or that refuses the login."""
    context, trusted = certificate(tmp_path)
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    with mail_server(loop, context, implicit=security == "tls") as server:
        with pytest.raises(Unavailable, match="has no certificate that is trusted: self-signed certificate"):
            deliver(server, PIECED_SMTP_SECURITY=security, **LOGIN)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        from_file = {"PIECED_SMTP_USER": USER, "PIECED_SMTP_PASSWORD_FILE": str(password)}
        deliver(server, PIECED_SMTP_SECURITY=security, **from_file)
        with pytest.raises(Unavailable, match=r"does not accept our login \(535\)\.$") as refused:
            deliver(server, PIECED_SMTP_SECURITY=security, **LOGIN | {"PIECED_SMTP_PASSWORD": "wrong-secret"})
        assert "wrong-secret" not in str(refused.value)
        assert len(server.taken) == 1


def test_a_server_without_encryption_is_told_nothing(server: MailServer) -> None:
    with pytest.raises(Unavailable, match="does not do what is asked of it: STARTTLS extension not supported"):
        deliver(server, PIECED_SMTP_SECURITY="starttls", **LOGIN)
    assert server.taken == []


@pytest.mark.parametrize(
    ("answer", "kind"), [("450 4.2.0 Greylisted, try later", Deferred), ("550 5.1.1 No such user", Rejected)]
)
@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_what_it_does_not_take_is_said_in_its_words_and_the_next_is_taken(
    server: MailServer, stage: str, answer: str, kind: type[Exception]
) -> None:
    if stage == "rcpt":
        server.rcpt[RECIPIENT] = [answer]
    else:
        server.data = [answer]
    with SmtpServer(smtp_settings(server.env())) as smtp:
        with pytest.raises(kind, match=f"^{answer}$"):
            smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        smtp.deliver(MESSAGE, SENDER, RECIPIENT)
    assert (len(server.taken), server.sessions) == (1, 1)


def test_answers_to_the_sender(server: MailServer) -> None:
    """One that is too large is the message's fault, any other refusal is of all messages."""
    with SmtpServer(smtp_settings(server.env())) as smtp:
        server.mail = ["552 5.3.4 Too large"]
        with pytest.raises(Rejected, match="Too large"):
            smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        server.mail = ["553 5.7.1 Not yours\x1b[31m"]
        with pytest.raises(Unavailable, match=r"takes no mail from billing@pieced.example: 553 5.7.1 Not yours \[31m"):
            smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        server.mail = ["421 4.3.2 So many messages, and no more"]
        smtp.deliver(MESSAGE, SENDER, RECIPIENT)
    assert (len(server.taken), server.sessions) == (2, 3)


def test_a_connection_that_breaks_defers_the_message_and_three_in_a_row_are_an_outage(server: MailServer) -> None:
    with SmtpServer(smtp_settings(server.env())) as smtp:
        server.breaks_before_data = 2
        for _ in range(2):
            with pytest.raises(Deferred, match="The connection broke"):
                smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        server.breaks_after_data = 3
        for _ in range(2):
            with pytest.raises(Deferred, match="The connection broke"):
                smtp.deliver(MESSAGE, SENDER, RECIPIENT)
        with pytest.raises(Unavailable, match="broke off 3 messages in a row"):
            smtp.deliver(MESSAGE, SENDER, RECIPIENT)


def test_nobody_answers() -> None:
    with pytest.raises(Unavailable, match="does not answer: Connection refused"):
        deliver(MailServer(port=1))
