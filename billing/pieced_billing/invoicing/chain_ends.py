"""Up to where the chains of organisations' tenants are read for a bill, and whether they went on meanwhile."""

from collections.abc import Mapping, Sequence
from typing import Final

from pieced_billing.invoicing.proof import ChainEnd
from pieced_billing.ledger.chain import EVENTS
from pieced_billing.store.connections import Connection

_ENDS: Final = f"""
SELECT chain.tenant_uid, chain.length, chain.head,
    {" + ".join(f"coalesce((chain.rows ->> '{table}')::bigint, 0)" for table in EVENTS)}
FROM ledger_chains AS chain JOIN tenant_billing_lifecycle AS tenant USING (tenant_uid)
WHERE tenant.zitadel_org_id = ANY(%(orgs)s)
"""  # noqa: S608 - our own names
_WENT_ON: Final = """
SELECT DISTINCT tenant.zitadel_org_id
FROM tenant_billing_lifecycle AS tenant JOIN ledger_chains AS chain USING (tenant_uid)
    LEFT JOIN unnest(%(uids)s::text[], %(links)s::bigint[]) AS known (tenant_uid, length) USING (tenant_uid)
WHERE tenant.zitadel_org_id = ANY(%(orgs)s) AND chain.length IS DISTINCT FROM known.length
"""


def chain_ends(connection: Connection, orgs: Sequence[str], *, hold: bool = False) -> dict[str, ChainEnd]:
    """Where the chains of these organisations' tenants end, by UID: what is linked later came later.

    To be read before the facts. With `hold` nothing is recorded of these tenants until the transaction's end.
    """
    query = f"{_ENDS} FOR SHARE OF chain" if hold else _ENDS
    return {uid: ChainEnd(*end) for uid, *end in connection.execute(query, {"orgs": list(orgs)})}


def went_on(connection: Connection, orgs: Sequence[str], ends: Mapping[str, ChainEnd]) -> list[str]:
    """The organisations of which something was recorded since these ends were read."""
    links = [end.links for end in ends.values()]
    rows = connection.execute(_WENT_ON, {"orgs": list(orgs), "uids": list(ends), "links": links})
    return [org for (org,) in rows]
