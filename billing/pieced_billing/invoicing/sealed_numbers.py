"""The counters of invoice numbers as a signed statement: kept outside of the database, it outlives a restore of that.

The statement (ledger/signed_line.py) is of the kind `invoice_numbers`. Its `last` has the last number by issuing
entity, series and year with spaces between, as in `{"default INV 2026": "17"}`; `database` is the id of the database
that gave them, `sealed_at` says when.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pieced_billing.invoicing.number import Counters, NumberSeries
from pieced_billing.ledger.export import instant_text
from pieced_billing.ledger.signed_line import BadSeal, signed_line, verified_statement

_KIND: Final = "invoice_numbers"


class SealedNumbers(NamedTuple):
    """Counters of the database of an id, with a good signature, and the signed line that says so."""

    database: UUID
    counters: Counters
    line: str


def seal_numbers(database: UUID, counters: Counters, sealed_at: datetime, key: Ed25519PrivateKey) -> SealedNumbers:
    """Sign counters of the database of this id; `sealed_at` is when."""
    last = {" ".join(map(str, series)): str(number) for series, number in counters.items()}
    statement = {"sealed_at": instant_text(sealed_at), "database": str(database), "last": last}
    return SealedNumbers(database, counters, signed_line(_KIND, statement, key).decode())


def sealed_numbers(line: str, key: Ed25519PublicKey, source: str) -> SealedNumbers:
    """What a line seals; `source` names it in the message of BadSeal, which a line of another key or kind raises."""
    statement = verified_statement(_KIND, line.encode(), key, source)
    try:
        database = UUID(statement["database"])
        counters = {_series(name): int(number) for name, number in statement["last"].items()}
    except (KeyError, AttributeError, ValueError):
        raise BadSeal(f"{source} does not say which numbers of which database were given.") from None
    return SealedNumbers(database, counters, line)


def sealed_at_of(line: str) -> datetime | None:
    """When a line says that it was sealed, whoever signed it; None for a line that says nothing of it."""
    try:
        return datetime.fromisoformat(orjson.loads(line)["statement"]["sealed_at"])
    except (KeyError, TypeError, ValueError):
        return None


def _series(name: str) -> NumberSeries:
    issuing_entity, series, year = name.rsplit(" ", 2)
    return NumberSeries(issuing_entity, series, int(year))
