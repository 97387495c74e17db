"""Which tenants are read together: all those of some organisations, or some by UID."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Chosen(NamedTuple):
    """A condition on the row of a tenant, which queries name `tenant`; `values` are its parameter `chosen`."""

    condition: str
    values: list[str]


_OF_ORGANISATIONS: Final = "tenant.zitadel_org_id = ANY(%(chosen)s)"
_BY_UID: Final = "tenant.tenant_uid = ANY(%(chosen)s)"


def of_organisations(orgs: Sequence[str]) -> Chosen:
    """Every tenant of these organisations."""
    return Chosen(_OF_ORGANISATIONS, list(orgs))


def by_uid(uids: Sequence[str]) -> Chosen:
    """The tenants with these UIDs."""
    return Chosen(_BY_UID, list(uids))
