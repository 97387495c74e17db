"""Which organisations and tenants a verification looks at, and what `billed_days` says of these."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pieced_billing.invoicing.original import UnknownInvoice
from pieced_billing.store.connections import Connection
from pieced_billing.verification.billed_days import Billed, Key
from pieced_billing.verification.documents import Document

_ORGS_AT_ONCE: Final = 200

_ORGS: Final = 'SELECT DISTINCT zitadel_org_id COLLATE "C" FROM invoices ORDER BY 1'
_ORG_OF: Final = "SELECT zitadel_org_id FROM invoices WHERE number = %s"
_TENANTS: Final = "SELECT zitadel_org_id, tenant_uid FROM tenant_billing_lifecycle WHERE zitadel_org_id = ANY(%s)"
_BILLED: Final = "SELECT tenant_uid, period_start, days, read_to FROM billed_days WHERE tenant_uid = ANY(%s)"


def organisations(connection: Connection, number: str | None) -> Iterator[Sequence[str]]:
    """The organisations with documents, some at a time, or that of one document. Raises UnknownInvoice."""
    rows = connection.execute(_ORGS if number is None else _ORG_OF, None if number is None else [number])
    orgs = [org for (org,) in rows]
    if number is not None and not orgs:
        raise UnknownInvoice(number)
    return in_batches(orgs)


def in_batches(orgs: Sequence[str]) -> Iterator[Sequence[str]]:
    """Organisations, as many at a time as are in memory at once."""
    return (orgs[start : start + _ORGS_AT_ONCE] for start in range(0, len(orgs), _ORGS_AT_ONCE))


def tenants(connection: Connection, documents: Mapping[str, Sequence[Document]]) -> Mapping[str, set[str]]:
    """The tenants of each organisation: those that its bills name, and all where one of them names none."""
    found: dict[str, set[str]] = {
        org: {uid for one in of_org if one.stands_on is not None for uid in one.stands_on.links}
        for org, of_org in documents.items()
    }
    silent = [
        org for org, of_org in documents.items() if any(one.stands_on is None and one.credits is None for one in of_org)
    ]
    if silent:
        for org, uid in connection.execute(_TENANTS, [silent]):
            found[org].add(uid)
    return found


def billed_days(connection: Connection, uids: Sequence[str]) -> Mapping[str, Mapping[Key, Billed]]:
    """The rows of `billed_days` of each tenant UID."""
    found: dict[str, dict[Key, Billed]] = {uid: {} for uid in uids}
    for uid, first, days, read_to in connection.execute(_BILLED, [list(uids)]):
        found[uid][uid, first] = Billed(days, read_to)
    return found
