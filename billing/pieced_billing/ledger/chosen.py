"""Which tenants are read together: all those of some organisations, or some by UID."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Chosen(NamedTuple):
    """A condition on the row of a tenant, which queries name `tenant`; `values` are its parameter `chosen`."""

    condition: str
    values: list[str]

    @property
    def few(self) -> bool:
        """Whether these are the tenants of one organisation, or one tenant."""
        return len(self.values) == 1


# One value, not a list: how long a list will be no plan knows beforehand, so that the server would make one each time.
_OF_ORGANISATION: Final = "tenant.zitadel_org_id = (%(chosen)s::text[])[1]"
_OF_ORGANISATIONS: Final = "tenant.zitadel_org_id = ANY(%(chosen)s)"
_BY_UID: Final = "tenant.tenant_uid = ANY(%(chosen)s)"


def of_organisations(orgs: Sequence[str]) -> Chosen:
    """Every tenant of these organisations."""
    return Chosen(_OF_ORGANISATION if len(orgs) == 1 else _OF_ORGANISATIONS, list(orgs))


def by_uid(uids: Sequence[str]) -> Chosen:
    """The tenants with these UIDs."""
    return Chosen(_BY_UID, list(uids))
