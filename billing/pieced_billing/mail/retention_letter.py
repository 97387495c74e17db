"""What an organisation is told before a suspended tenant and its data are deleted."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pieced_billing.calendar import local_date
from pieced_billing.documents.notation import written_date
from pieced_billing.mail.message import Letter, one_line
from pieced_billing.mail.words import MAIL_WORDS


@dataclass(frozen=True, slots=True)
class Deletion:
    """When a suspended tenant is deleted, and the announcement that is due: so many `days` before."""

    uid: str
    tenant: str
    display_name: str
    org: str
    suspended_at: datetime
    due_at: datetime
    days: int


def retention_letter(deletion: Deletion, language: str, zone: ZoneInfo, sender: str) -> Letter:
    """The letter, with times as they are in the billing zone."""
    words, due = MAIL_WORDS[language], deletion.due_at.astimezone(zone)
    name = one_line(deletion.display_name)
    called = f"{name} ({deletion.tenant})" if name != deletion.tenant else name
    filled = {"tenant": called, "date": written_date(due.date()), "time": f"{due:%H:%M}"}
    told = words.deletion.format(since=written_date(local_date(deletion.suspended_at, zone)), **filled)
    return Letter(
        language=language,
        subject=words.deletion_subject.format(**filled),
        text=f"{words.greeting}\n\n{told}\n\n{words.closing}\n{sender}\n",
    )
