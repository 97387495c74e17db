"""What the environment says of sources of usage: a wrong setting is one sentence that repeats no secret."""

import pytest

from pieced_billing.errors import UsageError
from pieced_billing.usage.settings import litellm_settings, relay_settings

URL = "https://litellm.example.com"
GOOD = {"PIECED_LITELLM_URL": URL, "PIECED_LITELLM_KEY": "sk-s3cr3t\n"}


def test_what_is_not_said_is_the_default() -> None:
    settings = litellm_settings(GOOD | {"PIECED_LITELLM_CURRENCY": ""})
    assert settings is not None
    assert (settings.key, settings.key_alias, settings.team, settings.currency) == (
        "sk-s3cr3t", "{tenant}", "{org}", "CHF",
    )  # fmt: skip
    assert "s3cr3t" not in repr(settings)


def test_without_a_url_there_is_no_source() -> None:
    assert litellm_settings({"PIECED_LITELLM_KEY": "sk-s3cr3t"}) is None
    assert relay_settings({}) is None


@pytest.mark.parametrize(
    "url",
    [
        "litellm.example.com", "ftp://litellm.example.com", "https://", "https://u:s3cr3t@litellm.example.com",
        "https://litellm.example.com?key=s3cr3t", "https://litellm.example.com:s3cr3t", "https://[s3cr3t",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    for name, settings in (("PIECED_LITELLM", litellm_settings), ("PIECED_THREEMA_RELAY", relay_settings)):
        with pytest.raises(UsageError, match=f"^{name}_URL is not a URL") as refused:
            settings({f"{name}_URL": url, "PIECED_LITELLM_KEY": "k", "PIECED_THREEMA_RELAY_TOKEN": "t"})
        assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("key", ["", " ", "sk-s3cr3t\nX-Other: 1", "sk s3cr3t", "sk-s3cr3t-ü", "sk-s3cr3t\0"])
def test_a_key_that_no_header_takes_is_not_repeated(key: str) -> None:
    with pytest.raises(UsageError, match="PIECED_LITELLM_KEY is empty or has") as refused:
        litellm_settings(GOOD | {"PIECED_LITELLM_KEY": key})
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("name", ["PIECED_LITELLM_KEY_ALIAS", "PIECED_LITELLM_TEAM"])
@pytest.mark.parametrize("text", ["{name}", "{tenant", "{}", "{tenant.life}", "{tenant!r}", "{tenant:>20}", "{0}"])
def test_a_template_has_the_parts_of_a_tenant_alone(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} is "):
        litellm_settings(GOOD | {name: text})


def test_a_currency_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="PIECED_LITELLM_CURRENCY is EUR; it is CHF or USD"):
        litellm_settings(GOOD | {"PIECED_LITELLM_CURRENCY": "EUR"})
