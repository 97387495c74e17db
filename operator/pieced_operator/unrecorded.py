"""Versions that the ledger was not told yet, as the tenant's own status keeps them while the database is away. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from pieced_billing.ledger.observation import Observation
from pieced_operator.decode import Version
from pieced_operator.tenant_status import UNRECORDED_LIMIT, UnrecordedVersion

SOURCE: Final = "status"


def entries(waiting: Sequence[Observation]) -> list[dict[str, Any]]:
    """What waits for the ledger, as the status keeps it.

    What a list found it finds again while it is the latest version: it is kept once another has taken its place. Of
    more than UNRECORDED_LIMIT versions the newest replaces those before it, and the ledger will mark the gap. A version
    of which nothing is served has nothing to tell.
    """
    waiting = [seen for seen in waiting if seen.served]
    latest = max((seen.generation for seen in waiting), default=0)
    news = {seen.generation for seen in waiting if _is_news(seen)}
    superseded = {seen.generation for seen in waiting if seen.generation < latest} - news
    kept = [_entry(seen) for seen in waiting if _is_news(seen) or (not seen.gone and seen.generation in superseded)]
    return kept if len(kept) <= UNRECORDED_LIMIT else [*kept[: UNRECORDED_LIMIT - 1], kept[-1]]


def observations(
    version: Version,
    status: Mapping[str, Any],
    *,
    cluster_id: str,
    organisation: str | None,
    catalogued_at: Mapping[str, datetime],
) -> list[Observation]:
    """The observations that a tenant's status keeps, in order; an entry that is not as it should be is no help."""
    found = []
    for entry in status.get("unrecorded") or ():
        try:
            kept = UnrecordedVersion.model_validate(entry)
        except ValidationError:
            continue
        packages = frozenset(kept.packages)
        found.append(
            Observation(
                cluster_id=cluster_id,
                uid=version.uid,
                tenant=version.name,
                org=organisation or version.org or "",
                generation=kept.generation,
                created_at=kept.existed_from,
                created_not_before=kept.existed_not_before,
                deleted_at=kept.deleted_at,
                suspended=kept.suspended,
                suspend_changed_at=kept.suspend_changed_at,
                packages=packages,
                packages_changed_at=kept.packages_changed_at,
                written_at=kept.written_at,
                seen_at=kept.seen_at,
                asked_at=kept.asked_at,
                manager=kept.manager,
                source=SOURCE,
                catalogued_at={name: at for name, at in catalogued_at.items() if name in packages},
                resource_version=int(kept.resource_version),
                restored_from=version.restored_from,
            )
        )
    return found


def _is_news(seen: Observation) -> bool:
    """Whether a list would not say the same as long as the version is the latest."""
    return seen.asked_at is None and not seen.gone


def _entry(seen: Observation) -> dict[str, Any]:
    kept = UnrecordedVersion(
        generation=seen.generation,
        resource_version=str(seen.resource_version),
        existed_from=seen.created_at,
        existed_not_before=seen.created_not_before,
        suspended=seen.suspended,
        suspend_changed_at=seen.suspend_changed_at,
        packages=tuple(sorted(seen.packages)),
        packages_changed_at=seen.packages_changed_at,
        written_at=seen.written_at,
        seen_at=seen.seen_at,
        asked_at=seen.asked_at,
        deleted_at=seen.deleted_at,
        manager=seen.manager,
    )
    return kept.model_dump(mode="json", by_alias=True, exclude_none=True)
