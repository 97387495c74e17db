"""The seal around an invoice run: before it, what a database lost is certified; after it, its numbers are sealed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from pieced_billing.errors import Refused, Unavailable
from pieced_billing.invoicing.holes import Hole, certify_holes
from pieced_billing.invoicing.number import read_counters
from pieced_billing.invoicing.seal_required import require_seal
from pieced_billing.ledger.seal_keys import private_key
from pieced_billing.store.connections import Connection
from pieced_billing.store.settings import database_id
from pieced_cli.kubernetes import with_cluster
from pieced_operator.published_numbers import PublishedNumbers

Result = TypeVar("Result")


class NotSealed(Refused):
    """The numbers of invoices could not be sealed."""

    code = "numbers_not_sealed"


class NumberSeal:
    """What a run does before its first number and after its last."""

    def __init__(self, key: Path, namespace: str) -> None:
        self._key = private_key(key)
        self._namespace = namespace

    def begin(self, connection: Connection) -> list[Hole]:
        """Seal what an earlier run could not, and certify what a restored database does not know any more.

        Raises NotSealed when the sealed numbers cannot be read, believed or written; then nothing may be issued. A hole
        is certified once and named by the run that does it, so that is the last step: none after it can fail.
        """
        try:
            sealed = self._with_cluster(connection, PublishedNumbers.read)
            self._publish(connection)
            require_seal(connection)
            return [] if sealed is None else certify_holes(connection, sealed)
        except (Refused, Unavailable) as error:
            raise NotSealed(f"Nothing was issued, because the invoice numbers cannot be sealed: {error}") from error

    def finish(self, connection: Connection) -> None:
        """Seal the numbers that were given; until then no invoice of the run may be sent. Raises NotSealed."""
        try:
            self._publish(connection)
        except (Refused, Unavailable) as error:
            raise NotSealed(
                f"The invoices are issued and nothing was sent, because their numbers are not sealed: {error} "
                "The same command again seals them."
            ) from error

    def _publish(self, connection: Connection) -> None:
        with connection.transaction():
            counters = read_counters(connection)
        self._with_cluster(connection, lambda published: published.rise_to(counters))

    def _with_cluster(self, connection: Connection, work: Callable[[PublishedNumbers], Awaitable[Result]]) -> Result:
        with connection.transaction():
            database = database_id(connection)
        return with_cluster(lambda cluster: work(PublishedNumbers(cluster, self._namespace, self._key, database)))
