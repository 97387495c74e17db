"""Deletions announced by e-mail: each announcement once, and none of what is no more so."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pieced_billing.mail.retention_letter import Deletion
from pieced_billing.mail.retention_mails import choose_due, retention_composer
from pieced_billing.mail.sending import Fate, Sent, send
from pieced_billing.mail.settings import smtp_settings
from pieced_billing.mail.smtp import SmtpServer
from pieced_billing.store.connections import Connection, connect
from tests.books import describe_issuer, organisation, set_organisations
from tests.clusters import Cluster
from tests.commands import run_pieced
from tests.databases import Database
from tests.faults.loop_thread import LoopThread
from tests.mail_server import MailServer, mail_server

DUE = datetime(2026, 4, 30, 22, tzinfo=UTC)
FOURTEEN = Deletion("u-1", "acme", "Acme AG", "310001", datetime(2026, 3, 1, tzinfo=UTC), DUE, 14)
SEVEN, ONE = replace(FOURTEEN, days=7), replace(FOURTEEN, days=1)
EMAIL = "a@acme.example"
TENANT = """
apiVersion: pieced.ch/v1alpha1
kind: PiecedTenant
metadata: {name: left-behind, labels: {pieced.ch/org-id: "310001"}}
spec: {displayName: Left behind, suspend: true}
"""


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with connect(database.url) as opened:
        opened.autocommit = True
        set_organisations(opened, organisation("310001", language="fr", email=EMAIL))
        describe_issuer(opened, email="billing@pieced.example")
        yield opened


@pytest.fixture
def server(loop: LoopThread) -> Iterator[MailServer]:
    with mail_server(loop) as made:
        yield made


def notify(connection: Connection, server: MailServer, *deletions: Deletion) -> list[Sent]:
    with connection.transaction():
        entries, announced = choose_due(connection, deletions)
    with SmtpServer(smtp_settings(server.env())) as smtp:
        return list(send(connection, entries, retention_composer(connection, announced), smtp))


def test_each_announcement_is_sent_once_and_another_date_is_announced_anew(
    connection: Connection, server: MailServer
) -> None:
    later = replace(ONE, due_at=DUE + timedelta(days=14), days=14)
    for deletion in (FOURTEEN, FOURTEEN, SEVEN, SEVEN, ONE, ONE, later, later):
        notify(connection, server, deletion)
    assert len({message["Message-ID"] for _, message in server.taken}) == len(server.taken) == 4
    assert server.subjects()[0] == "Acme AG (acme) : suppression de toutes les données le 01.05.2026"
    assert {recipient for recipient, _ in server.taken} == {EMAIL}


def test_what_waits_is_kept_back_once_it_is_no_more_so(connection: Connection, server: MailServer) -> None:
    """It was resumed, or held; if that ends, the announcement is due after all."""
    server.rcpt[EMAIL] = ["451 4.7.1 Greylisted"]
    assert [one.fate for one in notify(connection, server, FOURTEEN)] == [Fate.WAITING]
    assert notify(connection, server) == []
    assert connection.execute("SELECT withdrawn_at IS NULL FROM mail_outbox").fetchall() == [(False,)]
    connection.execute("UPDATE mail_outbox SET next_attempt_at = '2026-01-01'")
    assert [one.fate for one in notify(connection, server, FOURTEEN)] == [Fate.SENT]


def test_of_two_that_are_due_only_the_later_goes_out(connection: Connection, server: MailServer) -> None:
    server.rcpt[EMAIL] = ["550 5.1.1 No such user"]
    assert [one.fate for one in notify(connection, server, FOURTEEN)] == [Fate.PARKED]
    assert [one.entry.subject.split()[-1] for one in notify(connection, server, SEVEN)] == ["7"]
    assert len(server.taken) == 1


def set_status(cluster: Cluster, tenant: str, status: Mapping[str, str | None]) -> None:
    """Say something of a tenant, as its operator would."""
    patch = ("patch", "piecedtenant", tenant, "--type=merge", "-p", json.dumps({"status": status}))
    cluster.kubectl(*patch, "--subresource=status")


def test_the_command_goes_by_the_tenants_of_the_cluster(
    cluster: Cluster, database: Database, connection: Connection, server: MailServer
) -> None:
    due = datetime.now(UTC) + timedelta(days=6)
    status = {"organisation": "310001", "suspendedAt": "2026-03-01T00:00:00Z", "deletionDueAt": f"{due:%FT%TZ}"}
    env = database.env() | server.env() | {"KUBECONFIG": str(cluster.kubeconfig)}
    for left in json.loads(cluster.kubectl("get", "piecedtenants", "-o", "json"))["items"]:  # by other tests
        if "deletionDueAt" in left.get("status", {}):
            set_status(cluster, left["metadata"]["name"], {"deletionDueAt": None})
    cluster.kubectl("create", "-f", "-", stdin=TENANT)
    try:
        set_status(cluster, "left-behind", status)
        said = json.loads(run_pieced("tenant", "notify", "--dry-run", "-o", "json", env=env).stdout)
        (message,) = said["messages"]
        assert (message["message"].split()[::3], message["fate"]) == (["left-behind", "7"], "due")
        assert run_pieced("tenant", "notify", env=env).stdout == "1 sent.\n"
        assert run_pieced("tenant", "notify", env=env).stdout == "0 sent.\n"
        assert len(server.taken) == 1
    finally:
        cluster.kubectl("delete", "piecedtenant", "left-behind", "--wait=false")
