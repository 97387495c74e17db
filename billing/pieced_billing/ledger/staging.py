"""The temporary tables of an import and how a file's lines get into them, by binary COPY.

`incoming_tenants` has a row for every UID of the file, `incoming_lines` one for every line that repeats no other.
`subjects` are the tenants as they will be: what the ledger knows of them, else what the file says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from psycopg import Copy

from pieced_billing.calendar import Microseconds
from pieced_billing.ledger.judge import Subject
from pieced_billing.ledger.lines import Line
from pieced_billing.store.connections import Connection
from pieced_billing.store.instants import to_wire

_TABLES: Final = """
CREATE TEMP TABLE incoming_tenants (
    number integer, rank integer, line integer, uid text, cluster_id text,
    tenant text, org text, created_at timestamptz, created_line integer, deleted_at timestamptz, deleted_line integer
) ON COMMIT DROP;
CREATE TEMP TABLE incoming_lines (
    line integer, tenant integer, kind text, package text, occurred_at timestamptz, source text,
    quantity numeric, usage_id text, corrects text,
    not_before timestamptz, not_after timestamptz, quality text, generation bigint, manager text,
    json_to_recorded_at text GENERATED ALWAYS AS (pieced_json_to_recorded_at(kind, package, occurred_at, quantity,
        corrects, not_before, not_after, quality, generation, manager)) STORED,
    json_to_table text GENERATED ALWAYS AS (pieced_json_to_table(kind, package, source)) STORED
) ON COMMIT DROP;
"""

# A timestamptz goes over the wire as an int8 (store/instants.py).
_LINE_TYPES: Final = (
    *("int4", "int4", "text", "text", "int8", "text"),
    *("numeric", "text", "text"),
    *("int8", "int8", "text", "int8", "text"),
)
_TENANT_TYPES: Final = (
    *("int4", "int4", "int4", "text", "text"),
    *("text", "text", "int8", "int4", "int8", "int4"),
)

# The JSON of a tenant's rows begins and ends alike (record.py).
_SUBJECTS: Final = """
CREATE TEMP TABLE subjects ON COMMIT DROP AS
SELECT subject.*, coalesce(chain.length, 0) AS length, coalesce(chain.head, decode(repeat('00', 32), 'hex')) AS head,
       '{"cluster_id":' || to_json(cluster_id)::text AS opening,
       ',"tenant_uid":' || to_json(tenant_uid)::text || ',"usage_id":' AS usage_ending,
       ',"tenant_name":' || to_json(tenant_name)::text || ',"tenant_uid":' || to_json(tenant_uid)::text
       || ',"zitadel_org_id":' || to_json(zitadel_org_id)::text || '}' AS event_ending
FROM (
    SELECT new.number, new.rank, new.uid AS tenant_uid, new.line, new.created_line,
           known.tenant_uid IS NOT NULL AS known,
           coalesce(known.cluster_id, new.cluster_id) AS cluster_id,
           coalesce(known.tenant_name, new.tenant) AS tenant_name,
           coalesce(known.zitadel_org_id, new.org) AS zitadel_org_id,
           coalesce(known.created_at, new.created_at) AS created_at,
           coalesce(known.deleted_at, new.deleted_at) AS deleted_at,
           coalesce(known.last_seq, 0) AS last_seq, known.last_event_at
    FROM incoming_tenants AS new LEFT JOIN tenant_billing_lifecycle AS known ON known.tenant_uid = new.uid
) AS subject LEFT JOIN ledger_chains AS chain USING (tenant_uid)
"""

# Usage ids that the ledger has.
_MET: Final = """
CREATE TEMP TABLE met ON COMMIT DROP AS
SELECT line, tenant_uid AS uid, meter, old.quantity, old.occurred_at, old.corrects, recorded_at
FROM incoming_lines AS new JOIN usage_records AS old USING (source, usage_id) WHERE new.kind = 'usage'
"""

# Usage ids that stand on several lines, with the first of those.
_REPEATED: Final = """
CREATE TEMP TABLE repeated ON COMMIT DROP AS
SELECT source, usage_id, min(line) AS line FROM incoming_lines WHERE kind = 'usage'
GROUP BY source, usage_id HAVING count(*) > 1
"""


def create(connection: Connection) -> None:
    """Make the empty tables; they vanish with the transaction."""
    connection.execute("SET LOCAL work_mem = '128MB'; SET LOCAL default_statistics_target = 10")
    connection.execute(_TABLES)


def drop(connection: Connection) -> None:
    """Drop the tables before the end of the transaction, so that they can be made again."""
    connection.execute("DROP TABLE IF EXISTS incoming_tenants, incoming_lines, subjects, met, repeated, entries, ends")


@contextmanager
def copying_lines(connection: Connection) -> Iterator[Copy]:
    """A COPY that takes `line_record`s."""
    with connection.cursor() as cursor, cursor.copy("COPY incoming_lines FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(_LINE_TYPES)
        yield copy


def copy_tenants(connection: Connection, subjects: Iterator[Subject]) -> None:
    """Stage the tenants of a file, which come in the order of their UIDs, when all lines are staged."""
    with connection.cursor() as cursor, cursor.copy("COPY incoming_tenants FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(_TENANT_TYPES)
        for rank, subject in enumerate(subjects):
            copy.write_row(_tenant_record(rank, subject))
    connection.execute("ANALYZE incoming_tenants")
    connection.execute("ANALYZE incoming_lines")


def meet_the_ledger(connection: Connection) -> None:
    """Make `subjects` of the staged tenants, which contradict nothing."""
    connection.execute(_SUBJECTS)
    connection.execute(_MET)
    connection.execute(_REPEATED)
    connection.execute("ANALYZE subjects")


def line_record(number: int, subject: Subject, line: Line) -> tuple[object, ...]:
    """A line as a row of `incoming_lines`."""
    return (
        number,
        subject.number,
        line.kind,
        line.package,
        to_wire(line.at),
        line.source,
        line.quantity,
        line.usage_id,
        line.corrects,
        _wire(line.not_before),
        _wire(line.not_after),
        line.quality,
        line.generation,
        line.manager,
    )


def _tenant_record(rank: int, subject: Subject) -> tuple[object, ...]:
    created = subject.created
    return (
        subject.number,
        rank,
        subject.line,
        subject.uid,
        subject.cluster or "",
        created.tenant if created else None,
        created.org if created else None,
        to_wire(created.at) if created else None,
        subject.created_line if created else None,
        _wire(subject.deleted_at),
        None if subject.deleted_at is None else subject.deleted_line,
    )


def _wire(instant: Microseconds | None) -> int | None:
    return None if instant is None else to_wire(instant)
