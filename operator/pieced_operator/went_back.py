"""Whether the API server's data went back in time, as after the restore of a backup of etcd.

Resource versions of all objects come from one counter that only a restore sets back.
"""

from pieced_billing.errors import Unavailable


class ClusterWentBack(Unavailable):
    """The API server has older data than it had before: nothing that is known of it can be relied on any more."""

    def __init__(self, known: int, found: int) -> None:
        super().__init__(
            f"The API server's data went back: it is at resource version {found} and was at {known} before. "
            "The operator has to begin anew."
        )


class ListLags(Unavailable):
    """A list says less than what was delivered before: it came from a cache that is behind, and is of no use."""

    def __init__(self, known: int, found: int) -> None:
        super().__init__(f"A list is of resource version {found}, and {known} was delivered before.")


def require_forward(known: int, found: int) -> None:
    """Raise ClusterWentBack when a version that was just read is lower than one that was known before it was read."""
    if found < known:
        raise ClusterWentBack(known, found)
