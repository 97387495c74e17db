"""The ends of the chains to which a file of usage adds records: read when a tenant first comes, written at the end."""

from collections.abc import Collection, Iterable
from typing import Final

from pieced_billing.ledger.usage_links import End
from pieced_billing.store.connections import Connection

_ENDS: Final = """
SELECT uid, cluster_id, coalesce(length, 0), coalesce(head, decode(repeat('00', 32), 'hex'))
FROM unnest(%s::text[]) AS asked (uid) JOIN tenant_billing_lifecycle AS tenant ON tenant.tenant_uid = uid
    LEFT JOIN ledger_chains AS chain ON chain.tenant_uid = uid
"""
_SAVED: Final = "CREATE TEMP TABLE usage_ends (uid text, length bigint, head bytea, added bigint) ON COMMIT DROP"
_SAVE: Final = """
INSERT INTO ledger_chains AS chain (tenant_uid, length, head, rows)
SELECT uid, length, head, jsonb_build_object('usage_records', added) FROM usage_ends
ON CONFLICT (tenant_uid) DO UPDATE
SET length = EXCLUDED.length, head = EXCLUDED.head,
    rows = chain.rows || jsonb_build_object('usage_records', (EXCLUDED.rows ->> 'usage_records')::bigint
                                                             + coalesce((chain.rows ->> 'usage_records')::bigint, 0))
"""


class UsageEnds:
    """By UID what is `known` of a chain, with the records that were added; UIDs of no tenant are `unknown`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.known: dict[str, End] = {}
        self.unknown: set[str] = set()

    def meet(self, uids: Iterable[str]) -> None:
        """Read the ends that were not read before."""
        self.read([uid for uid in uids if uid not in self.known and uid not in self.unknown])

    def read(self, uids: Collection[str]) -> None:
        """Read these ends, which were saved if they were known."""
        if uids:
            rows = self._connection.execute(_ENDS, [sorted(uids)])
            self.known.update((uid, End(*end)) for uid, *end in rows)
            self.unknown.update(uid for uid in uids if uid not in self.known)

    def save(self) -> None:
        """Write the ends of the chains that have grown."""
        grown = [(uid, end) for uid, end in self.known.items() if end.added]
        if not grown:
            return
        with self._connection.cursor() as cursor:
            cursor.execute(_SAVED)
            with cursor.copy("COPY usage_ends FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(("text", "int8", "bytea", "int8"))
                for uid, end in grown:
                    copy.write_row((uid, end.length, end.head, end.added))
            cursor.execute(_SAVE)
            cursor.execute("DROP TABLE usage_ends")
        self.known.update((uid, end._replace(added=0)) for uid, end in grown)
