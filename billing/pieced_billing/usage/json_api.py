"""Documents of JSON from a source of usage over HTTP: time limits, retries with backoff, and no secret in any error."""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson
import urllib3

from pieced_billing.errors import Unavailable, UsageError

_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_ATTEMPTS: Final = 5
_LONGEST_PAUSE_SECONDS: Final = 60
_WORTH_RETRYING: Final = (429, 500, 502, 503, 504)


class JsonApi:
    """A source by its URL; `name` is what messages call it, `token` its bearer token."""

    def __init__(self, name: str, url: str, token: str, backoff_seconds: float = 0.5) -> None:
        self.name = name
        self._url = url.rstrip("/")
        retries = urllib3.Retry(
            total=_ATTEMPTS - 1,
            redirect=False,  # the token is for this server alone
            status_forcelist=_WORTH_RETRYING,
            allowed_methods=("GET",),
            backoff_factor=backoff_seconds,
            backoff_jitter=backoff_seconds,
            retry_after_max=_LONGEST_PAUSE_SECONDS,
            raise_on_status=False,
        )
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = urllib3.PoolManager(retries=retries, timeout=timeout, headers=headers)

    def get(self, path: str, query: dict[str, str | int], *, absent_is_none: bool = False) -> Any:
        """The document at a path; with `absent_is_none`, None for one that is not there.

        Raises Unavailable for a server that does not answer, after retries, or answers with anything else.
        """
        url = f"{self._url}{path}?{urlencode(query)}"
        try:
            response = self._http.request("GET", url)
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise Unavailable(f"{self.name} does not answer: {type(cause).__name__}.") from None
        if absent_is_none and response.status == 404:
            return None
        if response.status in {401, 403}:
            raise Unavailable(f"{self.name} does not accept our key (HTTP {response.status} for {path}).")
        if response.status != 200:
            raise Unavailable(f"{self.name} answers {path} with HTTP {response.status}.")
        try:
            return orjson.loads(response.data)
        except orjson.JSONDecodeError:
            raise Unavailable(f"{self.name} answers {path} with something that is not JSON.") from None

    def close(self) -> None:
        """Close all connections."""
        self._http.clear()


def judge_url(variable: str, url: str) -> str:
    """The URL of a source; UsageError, which does not repeat it, for anything else."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        sound = sound and parts.username is None and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(f"{variable} is not a URL such as https://litellm.example.com, without user and password.")
    return url


def judge_token(variable: str, token: str) -> str:
    """A token as a header can carry it; UsageError, which does not repeat it, for anything else."""
    stripped = token.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise UsageError(f"{variable} is empty or has characters that no key has.")
    return stripped
