"""Where usage is collected from, as the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Final

from pieced_billing.errors import UsageError
from pieced_billing.usage.json_api import judge_token, judge_url

_FIELDS: Final = ("tenant", "org", "uid", "cluster")
_CURRENCIES: Final = ("CHF", "USD")


@dataclass(frozen=True, slots=True)
class LiteLLMSettings:
    """A LiteLLM proxy: its URL and key, the templates of a tenant's key alias and of its organisation's team, and the
    currency of its spend.
    """

    url: str
    key: str = field(repr=False)
    key_alias: str
    team: str
    currency: str


def litellm_settings(environment: Mapping[str, str]) -> LiteLLMSettings | None:
    """The settings of LiteLLM, None where there is no PIECED_LITELLM_URL; UsageError for what is written wrong."""
    url = environment.get("PIECED_LITELLM_URL", "")
    if not url:
        return None
    currency = environment.get("PIECED_LITELLM_CURRENCY") or "CHF"
    if currency not in _CURRENCIES:
        raise UsageError(f"PIECED_LITELLM_CURRENCY is {currency}; it is {' or '.join(_CURRENCIES)}.")
    return LiteLLMSettings(
        url=judge_url("PIECED_LITELLM_URL", url),
        key=judge_token("PIECED_LITELLM_KEY", environment.get("PIECED_LITELLM_KEY", "")),
        key_alias=_template("PIECED_LITELLM_KEY_ALIAS", environment.get("PIECED_LITELLM_KEY_ALIAS") or "{tenant}"),
        team=_template("PIECED_LITELLM_TEAM", environment.get("PIECED_LITELLM_TEAM") or "{org}"),
        currency=currency,
    )


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The Threema relay: its URL and its administrator's token."""

    url: str
    token: str = field(repr=False)


def relay_settings(environment: Mapping[str, str]) -> RelaySettings | None:
    """The settings of the relay, None where there is no PIECED_THREEMA_RELAY_URL; UsageError for what is wrong."""
    url = environment.get("PIECED_THREEMA_RELAY_URL", "")
    if not url:
        return None
    return RelaySettings(
        url=judge_url("PIECED_THREEMA_RELAY_URL", url),
        token=judge_token("PIECED_THREEMA_RELAY_TOKEN", environment.get("PIECED_THREEMA_RELAY_TOKEN", "")),
    )


def _template(variable: str, text: str) -> str:
    """A text with names of a tenant's in braces; UsageError for any other."""
    try:
        parts = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        parts = [("", None, None)]
    if not all(name in _FIELDS and not spec and conversion is None for name, spec, conversion in parts):
        allowed = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise UsageError(f"{variable} is {text!r}; it is a text in which {allowed} may stand.")
    return text
