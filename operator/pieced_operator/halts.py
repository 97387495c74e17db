"""Why a sweep stops before it ends anything: what it found is more likely an error than the truth. Pure."""

from typing import Final

from pieced_billing.errors import Refused

TOO_MANY_MISSING: Final = "too_many_missing"
KINDS_MISSING: Final = "kinds_missing"
OTHER_CLUSTER: Final = "other_cluster"
REASONS: Final = (TOO_MANY_MISSING, KINDS_MISSING, OTHER_CLUSTER)

_FEW: Final = 5


class SweepHalted(Refused):
    """The sweep ended nothing; `reason` is one of REASONS."""

    code = "sweep_halted"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ClusterReplaced(SweepHalted):
    """Behind the same address there is another cluster now; nothing that this process knows holds for it."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(
            OTHER_CLUSTER,
            f"The API server's cluster is {found} now, and was {wanted}. Nothing is done until the operator is "
            "restarted, which takes it for a new cluster.",
        )


def too_many_missing(missing: int, live: int) -> SweepHalted:
    """More tenants are missing than may be believed."""
    return SweepHalted(
        TOO_MANY_MISSING,
        f"{missing} of {live} tenants are alive in the ledger and not in the cluster: too many to be believed, none is "
        "ended.",
    )


def kinds_missing() -> SweepHalted:
    """The API server does not serve our kinds: that no tenant is listed says nothing of any."""
    return SweepHalted(KINDS_MISSING, "The API server does not serve our kinds any more; nothing is ended.")


def believable(live: int) -> int:
    """How many of the tenants that the ledger holds to be alive may vanish unseen, all at once.

    One in a hundred; of a small fleet up to five, but not more than half; and always one: single tenants do vanish,
    when somebody takes off a finalizer, and a sweep must not halt for good over that.
    """
    return max(live // 100, min(_FEW, live // 2), 1)
