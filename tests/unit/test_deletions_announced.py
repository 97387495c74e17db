"""Which deletion is announced of a suspended tenant, by its status, and in which words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pieced_billing.calendar import DEFAULT_ZONE
from pieced_billing.mail.retention_letter import Deletion, retention_letter
from pieced_cli.tenant_notify import announced_deletion
from tests.tenants import resource

DUE = datetime(2026, 4, 30, 22, tzinfo=UTC)
SUSPENDED = {"suspend": True, "displayName": "Acme AG"}
STATUS = {"organisation": "310001", "suspendedAt": "2026-03-01T22:30:00Z", "deletionDueAt": "2026-04-30T22:00:00Z"}


def announced(before: timedelta, **metadata: Any) -> Deletion | None:
    fields: dict[str, Any] = {"spec": SUSPENDED, "status": STATUS} | metadata
    made = resource("acme", **fields)
    return announced_deletion(made, DUE - before)


@pytest.mark.parametrize(
    ("before", "days"),
    [
        (timedelta(days=14, seconds=1), None),
        (timedelta(days=14), 14),
        (timedelta(days=7, seconds=1), 14),
        (timedelta(days=7), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), None),
    ],
)
def test_the_latest_announcement_that_is_due(before: timedelta, days: int | None) -> None:
    found = announced(before)
    assert (found.days if found else None) == days


@pytest.mark.parametrize(
    "changed",
    [
        {"status": STATUS | {"deletionDueAt": None}},
        {"status": {name: STATUS[name] for name in ("organisation", "suspendedAt")}},
        {"status": None},
        {"spec": SUSPENDED | {"suspend": False}},
        {"spec": SUSPENDED | {"displayName": 7}},
        {"deletionTimestamp": "2026-04-29T00:00:00Z"},
    ],
    ids=["held", "held, as the API server says it", "never seen", "resumed", "not readable", "being deleted"],
)
def test_what_is_not_announced(changed: dict[str, Any]) -> None:
    assert announced(timedelta(days=1)) is not None
    assert announced(timedelta(days=1), **changed) is None


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        (
            "de",
            "Acme AG (acme): Löschung aller Daten am 01.05.2026",
            "seit dem 01.03.2026 stillgelegt. Am 01.05.2026 um 00:00",
        ),
        ("fr", "Acme AG (acme) : suppression de toutes les données le 01.05.2026", "suspendu depuis le 01.03.2026"),
        ("it", "Acme AG (acme): cancellazione di tutti i dati il 01.05.2026", "è sospeso dal 01.03.2026"),
        (
            "en",
            "Acme AG (acme): all data will be deleted on 01.05.2026",
            "On 01.05.2026 at 00:00, Acme AG (acme) and all",
        ),
    ],
)
def test_the_letter(language: str, subject: str, said: str) -> None:
    """Times are those of the billing zone."""
    found = announced(timedelta(days=7))
    assert found is not None
    letter = retention_letter(found, language, DEFAULT_ZONE, "Pieced AG")
    assert letter.subject == subject
    assert said in letter.text
    assert "{" not in letter.text
    assert letter.text.endswith("\nPieced AG\n")
