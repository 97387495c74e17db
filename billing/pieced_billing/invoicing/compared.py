"""Up to where in the chains of tenants what came late has been compared with the bills of its periods, and settled."""

from collections.abc import Mapping
from typing import Final

from pieced_billing.store.connections import Connection

_RECORD: Final = """
INSERT INTO late_facts_compared AS compared (tenant_uid, read_to) SELECT * FROM unnest(%s::text[], %s::bigint[])
ON CONFLICT (tenant_uid) DO UPDATE SET read_to = excluded.read_to WHERE compared.read_to < excluded.read_to
"""


def record_compared(connection: Connection, read_to: Mapping[str, int]) -> None:
    """Keep how far the chains of tenant UIDs were read by runs that billed all differences, or found none."""
    if read_to:
        connection.execute(_RECORD, [list(read_to), list(read_to.values())])
