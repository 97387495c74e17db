"""Lines of the ledger's interchange format, for tests that tell a history: one tenant, unless they say otherwise."""

from itertools import count
from typing import Any

Line = dict[str, Any]
UID, TENANT, ORG = "6f1c", "acme", "310001"
_usage_ids = count(1)


def created(at: str, uid: str = UID, tenant: str = TENANT, org: str = ORG) -> Line:
    return {"kind": "created", "uid": uid, "tenant": tenant, "org": org, "at": at}


def deleted(at: str, uid: str = UID) -> Line:
    return {"kind": "deleted", "uid": uid, "at": at}


def suspended(at: str, uid: str = UID) -> Line:
    return {"kind": "suspended", "uid": uid, "at": at}


def resumed(at: str, uid: str = UID) -> Line:
    return {"kind": "resumed", "uid": uid, "at": at}


def enabled(at: str, package: str = "search", uid: str = UID) -> Line:
    return {"kind": "enabled", "uid": uid, "package": package, "at": at}


def disabled(at: str, package: str = "search", uid: str = UID) -> Line:
    return {"kind": "disabled", "uid": uid, "package": package, "at": at}


def spent(quantity: str, at: str, uid: str = UID) -> Line:
    return _used("llm_spend", quantity, at, uid)


def sent(quantity: str, at: str, uid: str = UID) -> Line:
    return _used("threema_messages", quantity, at, uid)


def _used(meter: str, quantity: str, at: str, uid: str) -> Line:
    name = f"u-{next(_usage_ids)}"
    return {"kind": "usage", "uid": uid, "meter": meter, "quantity": quantity, "at": at, "id": name}
