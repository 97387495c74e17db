"""Invoices by e-mail, from a real database to a real mail server: each once, whoever sends, dies or refuses."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pieced_billing.documents.store import invoice_pdf
from pieced_billing.invoicing.number import NumberSeries
from pieced_billing.mail.invoice_mails import Chosen, choose, invoice_composer, sealed_first
from pieced_billing.mail.outbox import ATTEMPTS
from pieced_billing.mail.sending import Fate, Sent, send
from pieced_billing.mail.settings import smtp_settings
from pieced_billing.mail.smtp import SmtpServer
from pieced_billing.store.connections import Connection, connect
from tests.books import APRIL, MARCH, add_customers, describe_issuer, organisation, run_invoices, set_organisations
from tests.commands import run_pieced
from tests.databases import Database
from tests.fault_points import points_of
from tests.faults.loop_thread import LoopThread
from tests.mail_server import MailServer, mail_server

SENDER = "billing@pieced.example"


@pytest.fixture
def server(loop: LoopThread) -> Iterator[MailServer]:
    with mail_server(loop) as made:
        yield made


def invoiced(connection: Connection, count: int, **organisations: dict[str, Any]) -> list[str]:
    """The numbers of so many customers' invoices; customers have an e-mail unless `organisations` say otherwise."""
    for org in add_customers(connection, count):
        name = org.replace("-", "_")
        set_organisations(
            connection, organisation(org, **{"email": f"{org}@acme.example"} | organisations.get(name, {}))
        )
    describe_issuer(connection, email=SENDER)
    return run_invoices(connection).numbers


def sending(connection: Connection, server: MailServer, *numbers: str) -> list[Sent]:
    """What becomes of everything that waits, or of these numbers."""
    with connection.transaction():
        due = choose(connection, Chosen(numbers))
    with SmtpServer(smtp_settings(server.env())) as smtp:
        return list(send(connection, due.entries, invoice_composer(connection, due.entries), smtp))


def command(database: Database, server: MailServer, *arguments: str, **env: str) -> tuple[int, str, str]:
    done = run_pieced("invoice", "send", *arguments, env=database.env() | server.env() | env, check=False)
    return done.returncode, done.stdout, done.stderr


def time_passes(database: Database) -> None:
    """Every message may be tried again."""
    with connect(database.owner_url) as owner:
        owner.execute("UPDATE mail_outbox SET next_attempt_at = '2026-01-01' WHERE sent_at IS NULL")


def test_each_invoice_is_sent_once_in_its_language_with_its_document(
    database: Database, connection: Connection, server: MailServer
) -> None:
    french, german = invoiced(connection, 2, org_0001={"language": "fr"})
    assert command(database, server, "--pending", "--dry-run")[0] == 0
    assert server.taken == []
    status, said, _ = command(database, server, "--pending")
    assert (status, said) == (0, "2 sent.\n")
    (to, first), (_, second) = server.taken
    assert (to, server.subjects()) == (
        "org-0001@acme.example",
        [f"Facture {french}, Pieced AG", f"Rechnung {german}, Pieced AG"],
    )
    (attached,) = first.iter_attachments()
    assert attached.get_filename() == f"{french}.pdf"
    assert attached.get_payload(decode=True) == invoice_pdf(connection, french)
    assert first["Message-ID"] != second["Message-ID"]
    assert command(database, server, "--pending")[:2] == (0, "0 sent.\n")
    assert command(database, server, french)[:2] == (0, "0 sent; 1 sent before.\n")
    assert len(server.taken) == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="what was sent stays"):
        connection.execute("UPDATE mail_outbox SET sent_at = NULL")
    with connect(database.owner_url) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("DELETE FROM mail_outbox")


def test_what_came_back_is_sent_again_to_another_address(
    database: Database, connection: Connection, server: MailServer
) -> None:
    number, _ = invoiced(connection, 2)
    assert [one.fate for one in sending(connection, server)] == [Fate.SENT] * 2
    set_organisations(connection, organisation("org-0001", email="new@acme.example"))
    assert sending(connection, server) == [], "nobody knows that it came back"
    foreseen = command(database, server, number, "--again", "--dry-run")[1]
    assert (foreseen.splitlines()[0], "new@acme.example" in foreseen) == ("1 would be sent.", True)
    server.rcpt["new@acme.example"] = ["450 Try again"]
    assert command(database, server, number, "--again")[1].splitlines()[0] == "0 sent; 1 to be tried again."
    assert command(database, server, number, "--again")[:2] == (0, "1 sent.\n"), "it is the same copy"
    assert command(database, server, "--pending")[:2] == (0, "0 sent.\n")
    assert command(database, server, number)[:2] == (0, "0 sent; 1 sent before.\n")
    (_, first), _, (to, again) = server.taken
    assert (to, again["Subject"]) == ("new@acme.example", first["Subject"])
    assert again["Message-ID"] != first["Message-ID"]


def test_senders_at_once_send_each_invoice_once(database: Database, connection: Connection, server: MailServer) -> None:
    numbers = invoiced(connection, 12)
    for number in numbers:
        invoice_pdf(connection, number)  # one thread at a time may make documents

    def work(_: int) -> list[Sent]:
        with connect(database.url) as own:
            own.autocommit = True
            return sending(own, server, *numbers)

    with ThreadPoolExecutor(3) as threads:
        sent = [one.entry.subject for found in threads.map(work, range(3)) for one in found]
    assert sorted(sent) == numbers
    assert len(server.taken) == 12


def test_what_is_postponed_is_tried_again_after_a_while_and_not_for_ever(
    database: Database, connection: Connection, server: MailServer
) -> None:
    invoiced(connection, 2)
    greylisted = "451 4.7.1 Greylisted"
    server.rcpt["org-0001@acme.example"] = [greylisted] * 2
    assert [(one.fate, one.reason) for one in sending(connection, server)] == [
        (Fate.WAITING, greylisted),
        (Fate.SENT, None),
    ]
    assert sending(connection, server) == []
    time_passes(database)
    connection.execute("UPDATE mail_outbox SET attempts = %s WHERE sent_at IS NULL", [ATTEMPTS - 1])
    ((_, fate, reason),) = [(one.entry, one.fate, one.reason) for one in sending(connection, server)]
    assert (fate, reason) == (Fate.PARKED, f"Tried {ATTEMPTS} times; the last time: {greylisted}")


def test_what_is_refused_for_good_is_parked_until_somebody_does_something(
    database: Database, connection: Connection, server: MailServer
) -> None:
    refused, _ = invoiced(connection, 2)
    server.rcpt["org-0001@acme.example"] = ["550 5.1.1 No such user"]
    for said in ("1 sent; 1 parked.", "0 sent; 1 parked."):
        status, shown, _ = command(database, server, "--pending")
        assert (status, shown.splitlines()[0]) == (1, said)
        assert f"{refused}   org-0001   org-0001@acme.example   parked   550 5.1.1 No such user" in shown
    (pending,) = json.loads(run_pieced("mail", "pending", "-o", "json", env=database.env()).stdout)
    assert (pending["subject"], pending["attempts"], pending["reason"]) == (refused, 1, "550 5.1.1 No such user")
    assert refused in run_pieced("mail", "pending", env=database.env()).stdout
    set_organisations(connection, organisation("org-0001", email="new@acme.example"))
    assert [one.fate for one in sending(connection, server)] == [Fate.SENT]
    assert [recipient for recipient, _ in server.taken] == ["org-0002@acme.example", "new@acme.example"]
    assert json.loads(run_pieced("mail", "pending", "-o", "json", env=database.env()).stdout) == []


def test_who_has_no_address_is_named_and_the_others_go_on(
    database: Database, connection: Connection, server: MailServer
) -> None:
    both = "a@acme.example, b@acme.example"
    none, two, _ = invoiced(connection, 3, org_0001={"email": None}, org_0002={"email": both})
    status, said, _ = command(database, server, "--pending", "-o", "json")
    document = json.loads(said)
    assert (status, len(server.taken)) == (1, 1)
    assert [one["reason"] for one in document["messages"] if one["fate"] == "unaddressed"] == [
        "Organisation org-0001 has no e-mail address; give it one with `pieced org apply`.",
        f"Organisation org-0002 has the e-mail {both!r}, which is no address; give it one with `pieced org apply`.",
    ]
    assert command(database, server, "--delivered", none, two)[:2] == (0, "2 messages will not be sent.\n")
    assert sending(connection, server) == []
    set_organisations(connection, organisation("org-0001", email="a@acme.example"))
    assert sending(connection, server) == [], "by number only"
    assert [one.fate for one in sending(connection, server, none)] == [Fate.SENT]


def test_an_outage_costs_no_message_an_attempt(database: Database, connection: Connection, server: MailServer) -> None:
    invoiced(connection, 3)
    status, said, complaint = command(database, server, "--pending", PIECED_SMTP_PORT="1")
    assert (status, said) == (1, "")
    assert complaint == "pieced: The mail server 127.0.0.1:1 does not answer: Connection refused.\n"
    assert connection.execute("SELECT max(attempts) FROM mail_outbox").fetchone() == (0,)
    server.mail = ["250 OK", "553 5.7.1 Not yours"]
    status, said, complaint = command(database, server, "--pending")
    assert (status, said, "takes no mail from billing@pieced.example" in complaint) == (1, "1 sent.\n", True)


def test_a_document_that_cannot_be_sent_holds_up_no_other(
    database: Database, connection: Connection, server: MailServer
) -> None:
    damaged, _ = invoiced(connection, 2)
    with connect(database.owner_url) as owner:
        invoice_pdf(owner, damaged)
        owner.execute("ALTER TABLE invoice_documents DISABLE TRIGGER USER")
        owner.execute("ALTER TABLE invoice_documents DROP CONSTRAINT invoice_documents_sha256")
        owner.execute("UPDATE invoice_documents SET pdf = 'forged'")
    first, second = sending(connection, server)
    assert (first.fate, second.fate, len(server.taken)) == (Fate.PARKED, Fate.SENT, 1)
    assert first.reason is not None
    assert first.reason.startswith(f"The document of {damaged} was changed")


@pytest.mark.parametrize("point", points_of(__file__))
def test_a_sender_that_dies(database: Database, connection: Connection, server: MailServer, point: str) -> None:
    """Only a message that the server had taken, and we had no time to say so, is sent twice: under the same id."""
    first, _ = invoiced(connection, 2)
    assert command(database, server, "--pending", PIECED_FAULT=point)[0] == -signal.SIGKILL
    assert len(server.taken) == (0 if point == "mail.after_claim" else 1)
    stored = invoice_pdf(connection, first)
    assert [one.fate for one in sending(connection, server)] == [Fate.SENT], "the other is not held up"
    time_passes(database)
    sending(connection, server)
    of_first = [message for _, message in server.taken if first in str(message["Subject"])]
    assert len(of_first) == (2 if point == "mail.after_acceptance" else 1)
    assert len({message["Message-ID"] for message in of_first}) == 1
    for message in of_first:
        (attached,) = message.iter_attachments()
        assert attached.get_payload(decode=True) == stored


def test_what_was_issued_before_there_was_an_outbox_is_sent_by_number_or_month_only(
    database: Database, connection: Connection, server: MailServer
) -> None:
    (march,) = invoiced(connection, 1)
    (april,) = run_invoices(connection, APRIL).numbers
    with connect(database.owner_url) as owner:
        owner.execute("ALTER TABLE mail_outbox DISABLE TRIGGER USER")
        owner.execute("DELETE FROM mail_outbox")
        owner.execute("ALTER TABLE mail_outbox ENABLE TRIGGER USER")
    assert sending(connection, server) == []
    assert command(database, server, "--month", str(MARCH))[:2] == (0, "1 sent.\n")
    assert command(database, server, april, march)[:2] == (0, "1 sent; 1 sent before.\n")
    assert len(server.taken) == 2


def test_nothing_is_sent_whose_number_is_not_sealed(
    database: Database, connection: Connection, server: MailServer
) -> None:
    numbers = invoiced(connection, 3)
    with connection.transaction():
        entries = choose(connection, Chosen()).entries
    year = int(numbers[0].split("-")[1])
    sealed, unsealed = sealed_first(connection, entries, {NumberSeries("default", "INV", year): 2})
    assert ([entry.subject for entry in sealed], unsealed) == (numbers[:2], numbers[2:])
    assert sealed_first(connection, entries, {})[0] == []
    connection.execute("UPDATE billing_settings SET numbers_sealed = true")
    status, said, complaint = command(database, server, "--pending")
    assert (status, said, server.taken) == (1, "", [])
    assert complaint.startswith("pieced: The invoice numbers of this database are sealed, and without the key, public")


def test_what_is_asked_for_wrongly(database: Database, connection: Connection, server: MailServer) -> None:
    (number,) = invoiced(connection, 1)
    describe_issuer(connection, email=None)
    for arguments, status, said in (
        ((), 2, "Either NUMBER..., --month YYYY-MM or --pending says which invoices are meant."),
        ((number, "--pending"), 2, "Either NUMBER"),
        (("--pending", "--delivered", "--dry-run"), 2, "--delivered sends nothing anyway"),
        (("--pending", "--again"), 2, "--again sends what was sent before, and only what is named"),
        (("INV-1",), 1, "There is no invoice 'INV-1'"),
        (
            ("--pending",),
            1,
            "Nothing can be sent: the issuing entity 'default' has no e-mail; give it one with `pieced",
        ),
    ):
        done = command(database, server, *arguments)
        assert (done[0], done[1], done[2].count("\n")) == (status, "", 1), done
        assert said in done[2]
    assert server.taken == []
