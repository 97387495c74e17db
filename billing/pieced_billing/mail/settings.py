"""The mail server, as the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from pieced_billing.errors import UsageError


class Security(StrEnum):
    """How a connection is encrypted: from a STARTTLS on (RFC 3207), from the beginning (RFC 8314), or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server that takes what is sent; without a user nobody logs in."""

    host: str
    port: int
    security: Security
    user: str | None
    password: str = field(repr=False, default="")


def smtp_settings(environment: Mapping[str, str]) -> SmtpSettings:
    """The settings of PIECED_SMTP_HOST and its like; UsageError, which repeats no secret, for what is written wrong."""
    host = environment.get("PIECED_SMTP_HOST", "").strip()
    if not host or not host.isascii() or not host.isprintable() or any(mark in host for mark in " /@"):
        raise UsageError("PIECED_SMTP_HOST names the mail server that takes e-mails, such as smtp.example.com.")
    security = _security(environment.get("PIECED_SMTP_SECURITY") or Security.STARTTLS)
    user, password = environment.get("PIECED_SMTP_USER") or None, _password(environment)
    if (user is None) != (not password):
        raise UsageError("PIECED_SMTP_USER and PIECED_SMTP_PASSWORD (or its _FILE) go together.")
    if not f"{user}{password}".isascii():
        raise UsageError("The user or the password of the mail server has characters that SMTP cannot carry.")
    if user is not None and security is Security.NONE:
        raise UsageError("PIECED_SMTP_SECURITY is none: the password would be sent for everybody to read.")
    return SmtpSettings(host, _port(environment.get("PIECED_SMTP_PORT"), security), security, user, password)


def _security(text: str) -> Security:
    try:
        return Security(text)
    except ValueError:
        raise UsageError(f"PIECED_SMTP_SECURITY is {text!r}; it is {', '.join(Security)}.") from None


def _port(text: str | None, security: Security) -> int:
    if not text:
        return _PORTS[security]
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 65536):
        raise UsageError(f"PIECED_SMTP_PORT is {text!r}; it is a number from 1 to 65535.")
    return int(text)


def _password(environment: Mapping[str, str]) -> str:
    password, path = environment.get("PIECED_SMTP_PASSWORD", ""), environment.get("PIECED_SMTP_PASSWORD_FILE", "")
    if password and path:
        raise UsageError("PIECED_SMTP_PASSWORD and PIECED_SMTP_PASSWORD_FILE are both set; one of them is enough.")
    if path:
        try:
            password = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            raise UsageError("The file that PIECED_SMTP_PASSWORD_FILE names cannot be read as text.") from None
    return password
