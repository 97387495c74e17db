"""What the API server says when it says no, by what the caller can do about it.

    ApiRefused        no, and no again: the request has to change
      NotFound        404: no such object, or no such kind
        KindNotServed   404 of a list: no such kind
      Conflict        409, and 422 of a JSON patch whose test fails: the object is not what we took it for
      Expired         410: what we knew is too old, list again

An answer that may be another one the next time (429, 5xx) is Unavailable, as is no answer at all.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from pieced_billing.errors import Refused, Unavailable

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_PATCH_TEST_FAILED = "the server rejected our request due to an error in our request"


class ApiRefused(Refused):
    """The API server understood the request and says no."""

    code = "cluster_refused"

    def __init__(self, http_status: int, reason: str, message: str) -> None:
        super().__init__(f"The API server refuses: {message or reason or http_status}")
        self.http_status = http_status
        self.reason = reason
        self.message = message


class NotFound(ApiRefused):
    """No such object, or no such kind."""


class KindNotServed(NotFound):
    """A kind whose definition the cluster does not have."""

    code = "kind_not_served"

    def __init__(self, plural: str) -> None:
        super().__init__(404, "NotFound", f"{plural} is not served")
        self._plural = plural

    def __str__(self) -> str:
        return (
            f"The cluster does not serve {self._plural}: apply Pieced's definitions to it "
            "(kubectl apply --server-side -f crds), or name the right cluster by KUBECONFIG."
        )


class Conflict(ApiRefused):
    """The object is not what the request took it for, or exists already."""


class Expired(ApiRefused):
    """A resource version or continue token is too old."""


def error_of(http_status: int, content: bytes) -> ApiRefused | Unavailable:
    """The error that an answer means; `content` is a Status object if the API server itself answered."""
    told = _status_object(content)
    reason, message = str(told.get("reason", "")), str(told.get("message", ""))
    if http_status in _TRANSIENT:
        return Unavailable(f"The API server answers {http_status}: {message or reason or 'no reason given'}")
    kind = {404: NotFound, 409: Conflict, 410: Expired}.get(http_status, ApiRefused)
    if http_status == 422 and message.startswith(_PATCH_TEST_FAILED):
        kind = Conflict
    return kind(http_status, reason, message)


def _status_object(content: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
