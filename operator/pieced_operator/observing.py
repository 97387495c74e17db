"""Pure: a decoded version and the catalogue become what the ledger is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pieced_billing.ledger.observation import Observation
from pieced_operator.decode import Beginning, Version


@dataclass(frozen=True, slots=True)
class Reading:
    """How a version came to us, by the API server's clock.

    `at` is when we had it: it was written by then. `asked_at` is an instant before the list or get that it comes from
    was asked for: what it says was so then, or it was written afterwards; None where a watch delivered it as it was
    written. `source` is watch, replay, sweep or backfill.
    """

    source: str
    at: datetime
    asked_at: datetime | None = None


def observation(
    version: Version,
    reading: Reading,
    *,
    cluster_id: str,
    organisation: str | None,
    began: Beginning,
    catalogued_at: Mapping[str, datetime],
) -> Observation:
    """What a version says to the ledger: of its packages those that the catalogue has, and since when it has them.

    `organisation` is the one that is billed, where it is known already; `began` counts where the tenant is new.
    """
    packages = frozenset(package for package in version.packages if package in catalogued_at)
    return Observation(
        cluster_id=cluster_id,
        uid=version.uid,
        tenant=version.name,
        org=organisation or version.org or "",
        generation=version.generation,
        created_at=began.at,
        created_not_before=began.not_before,
        deleted_at=version.deleted_at,
        suspended=version.suspended,
        suspend_changed_at=version.suspend_changed_at,
        packages=packages,
        packages_changed_at=version.packages_changed_at,
        written_at=version.written_at,
        seen_at=reading.at,
        asked_at=reading.asked_at,
        manager=version.manager,
        source=reading.source,
        catalogued_at={package: catalogued_at[package] for package in packages},
        resource_version=int(version.resource_version),
        restored_from=version.restored_from,
        gone=version.gone,
        served=version.served,
    )
