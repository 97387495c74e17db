"""Who writes e-mails: the issuing entities, as they are described today."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pieced_billing.errors import Refused
from pieced_billing.mail.address import mail_address
from pieced_billing.mail.message import Party
from pieced_billing.parties.issuers import issuer_at, load_issuers
from pieced_billing.parties.issuing_entity import IssuingEntity
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import load_settings


class NoSender(Refused):
    """An issuing entity has no e-mail address to write from."""

    code: ClassVar[str] = "issuer_without_email"

    def __init__(self, issuer: IssuingEntity) -> None:
        has = f"has the e-mail {issuer.email!r}, which is no address" if issuer.email else "has no e-mail"
        super().__init__(
            f"Nothing can be sent: the issuing entity {issuer.name!r} {has}; give it one with `pieced issuer apply`."
        )


def senders(connection: Connection, entities: Iterable[str]) -> Mapping[str, Party]:
    """Who writes for each of these issuing entities. Raises NotDescribed and NoSender."""
    issuers, now = load_issuers(connection), load_settings(connection).now
    return {name: _sender(issuer_at(issuers, name, now)) for name in entities}


def _sender(issuer: IssuingEntity) -> Party:
    address = mail_address(issuer.email or "")
    if address is None:
        raise NoSender(issuer)
    return Party(issuer.address.name, address)
