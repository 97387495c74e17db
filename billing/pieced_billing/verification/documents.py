"""Issued documents as they are stored: the rows of invoices and credit notes, and their lines."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from pieced_billing.calendar import Month
from pieced_billing.invoicing.proof import output_hash
from pieced_billing.invoicing.rows import COLUMNS, LINE_COLUMNS
from pieced_billing.store.connections import Connection

_AS_TEXT: Final = frozenset(("recipient", "content", "stands_on"))
_SELECTED: Final = ", ".join(f"{name}::text" if name in _AS_TEXT else name for name in COLUMNS)
_DOCUMENTS: Final = f"""
SELECT {_SELECTED}, output_hash, invoice_documents.sha256 = sha256(pdf),
    ARRAY(SELECT carried.period_start FROM carried_periods AS carried WHERE carried.invoice_id = invoices.id ORDER BY 1)
FROM invoices LEFT JOIN invoice_documents ON invoice_id = invoices.id WHERE zitadel_org_id = ANY(%s) ORDER BY id
"""  # noqa: S608 - our own columns
_LINES: Final = f"""
SELECT invoice_id, position, {", ".join(LINE_COLUMNS)} FROM invoice_lines WHERE invoice_id = ANY(%s)
ORDER BY invoice_id, position
"""  # noqa: S608 - our own columns


class Then(NamedTuple):
    """What a bill knew: the settings, the ids of the last versions, and how many links of which tenant UID.

    `issuers` is None of one from before their versions were kept.
    """

    zone: str
    billing_start: date | None
    prices: int
    terms: int
    links: Mapping[str, int]
    issuers: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A stored invoice or credit note: its row by column name, with JSON as text, and its lines by position.

    `row_hash` is what `output_hash` has to be. `stands_on` is what a bill says that it knew: None of a credit note, a
    bill from before that was kept, and what cannot be read. `pdf_as_stored` is whether its PDF still gives the
    SHA-256 beside it; None where it has no PDF. `carried` are the first days of the periods that a bill has beside its
    own.
    """

    row: Mapping[str, Any]
    stands_on: Then | None
    row_hash: bytes
    output_hash: bytes | None
    pdf_as_stored: bool | None
    lines: Mapping[int, tuple[Any, ...]]
    carried: Sequence[date]

    @property
    def id(self) -> int:
        """What lines and credit notes call it by."""
        return int(self.row["id"])

    @property
    def number(self) -> str:
        """Its number."""
        return str(self.row["number"])

    @property
    def month(self) -> Month:
        """The period that it is about."""
        first: date = self.row["period_start"]
        return Month.of(first)

    @property
    def carried_months(self) -> list[Month]:
        """The months that a bill has beside its own, as these or its lines say, ascending: runs decided that."""
        adjusts, first = LINE_COLUMNS.index("adjusts"), LINE_COLUMNS.index("service_from")
        days = {*self.carried, *(line[first] for line in self.lines.values() if line[adjusts] is None)}
        return sorted({Month.of(day) for day in days if Month.of(day) < self.month})

    @property
    def credits(self) -> int | None:
        """The id of the invoice that a credit note takes back from; None of the bill of a period."""
        credited: int | None = self.row["credits"]
        return credited

    @property
    def finalised_at(self) -> datetime:
        """When it was issued."""
        instant: datetime = self.row["finalised_at"]
        return instant

    @property
    def credited(self) -> Mapping[int, Decimal]:
        """Of a credit note: how much it takes back of which line of its invoice."""
        at, amount = LINE_COLUMNS.index("original_position"), LINE_COLUMNS.index("amount")
        return {line[at]: -line[amount] for line in self.lines.values()}


def load_documents(connection: Connection, orgs: Sequence[str]) -> Mapping[str, list[Document]]:
    """All documents of organisations, in the order in which they were issued."""
    rows = connection.execute(_DOCUMENTS, [list(orgs)]).fetchall()
    lines: defaultdict[int, dict[int, tuple[Any, ...]]] = defaultdict(dict)
    for invoice_id, position, *line in connection.execute(_LINES, [[row[0] for row in rows]]):
        lines[invoice_id][position] = tuple(line)
    found: defaultdict[str, list[Document]] = defaultdict(list)
    for *columns, stored_hash, pdf_as_stored, carried in rows:
        row = dict(zip(COLUMNS, columns, strict=True))
        hashes = output_hash(columns), stored_hash
        evidence = parse_then(row["stands_on"]), *hashes, pdf_as_stored
        document = Document(row, *evidence, lines.get(row["id"], {}), carried)
        found[row["zitadel_org_id"]].append(document)
    return found


def parse_then(text: str | None) -> Then | None:
    """What a bill says that it knew; None where it does not say so, or nobody can read it."""
    try:
        stands_on = orjson.loads(text or "null")
        start = stands_on["billing_start"]
        return Then(
            ZoneInfo(stands_on["zone"]).key,
            None if start is None else date.fromisoformat(start),
            int(stands_on["prices"]["last"]),
            int(stands_on["terms"]["last"]),
            {uid: int(tenant["links"]) for uid, tenant in stands_on["tenants"].items()},
            int(stands_on["issuers"]["last"]) if "issuers" in stands_on else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError):
        return None  # it has none, or somebody changed it: then it differs from what it should be
