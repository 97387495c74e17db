"""The sealed invoice numbers as a ConfigMap: what a restore of the database, and who writes to it, cannot set back."""

import asyncio
import time
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pieced_billing import faults
from pieced_billing.errors import Refused, Unavailable
from pieced_billing.invoicing.number import Counters
from pieced_billing.invoicing.sealed_numbers import SealedNumbers, seal_numbers, sealed_numbers
from pieced_operator import paths
from pieced_operator.api_errors import Conflict, NotFound
from pieced_operator.cluster import Cluster, Resource
from pieced_operator.names import INVOICE_NUMBERS
from pieced_operator.published_seal import SEAL, NoNamespace, seal_config_map

_PATIENCE_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.5


class AnotherDatabase(Refused):
    """What is sealed is of another database."""

    code = "numbers_of_another_database"

    def __init__(self, source: str, sealed: UUID, ours: UUID) -> None:
        super().__init__(
            f"{source} has the numbers of another database: {sealed}, not {ours}. Seal this one's in a namespace of "
            "their own (PIECED_SEAL_NAMESPACE); if it takes the place of that one, give it its id (docs/disaster.md)."
        )


async def read_numbers(cluster: Cluster, namespace: str, key: Ed25519PublicKey, database: UUID) -> SealedNumbers | None:
    """What is sealed of a database; None if nothing is yet.

    Raises BadSeal, AnotherDatabase, ApiRefused and Unavailable.
    """
    found = await _find(cluster, namespace)
    return None if found is None else _believed(found, namespace, key, database)


class PublishedNumbers:
    """The ConfigMap of one namespace, for one database and signed with one key. What is in it only rises."""

    def __init__(self, cluster: Cluster, namespace: str, key: Ed25519PrivateKey, database: UUID) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._database = database
        self._config_maps = f"{paths.NAMESPACES}/{namespace}/configmaps"
        self._key = key

    async def read(self) -> SealedNumbers | None:
        """What is sealed; None if nothing is yet. Raises BadSeal, AnotherDatabase, ApiRefused and Unavailable."""
        return await read_numbers(self._cluster, self._namespace, self._key.public_key(), self._database)

    async def rise_to(self, counters: Counters) -> None:
        """Seal counters that were read, each if it is above what is sealed.

        Tried again for half a minute when others write too or the API server does not answer. Raises NoNamespace,
        BadSeal, AnotherDatabase, ApiRefused and Unavailable.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                await self._rise_to(counters)
                return
            except (Conflict, Unavailable):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_RETRY_SECONDS)

    async def _rise_to(self, counters: Counters) -> None:
        found = await _find(self._cluster, self._namespace)
        known = None if found is None else _believed(found, self._namespace, self._key.public_key(), self._database)
        there = {} if known is None else known.counters
        highest = {**there, **{key: max(last, there.get(key, 0)) for key, last in counters.items()}}
        if found is not None and highest == there:
            return
        now = self._cluster.clock.latest(time.monotonic())
        await self._write(found, seal_numbers(self._database, highest, now, self._key))

    async def _write(self, found: Resource | None, sealed: SealedNumbers) -> None:
        faults.point("numbers.before_publish")
        wanted = seal_config_map(self._namespace, INVOICE_NUMBERS, sealed.line)
        if found is None:
            try:
                await self._cluster.create(self._config_maps, wanted)
            except NotFound:
                raise NoNamespace(self._namespace) from None
        else:
            await self._cluster.replace(f"{self._config_maps}/{INVOICE_NUMBERS}", {**found, "data": wanted["data"]})
        faults.point("numbers.after_publish")


async def _find(cluster: Cluster, namespace: str) -> Resource | None:
    try:
        return await cluster.get(f"{paths.NAMESPACES}/{namespace}/configmaps/{INVOICE_NUMBERS}")
    except NotFound:
        return None


def _believed(found: Resource, namespace: str, key: Ed25519PublicKey, database: UUID) -> SealedNumbers:
    line = (found.get("data") or {}).get(SEAL, "")
    source = f"The ConfigMap {namespace}/{INVOICE_NUMBERS}"
    sealed = sealed_numbers(line, key, source)
    if sealed.database != database:
        raise AnotherDatabase(source, sealed.database, database)
    return sealed
