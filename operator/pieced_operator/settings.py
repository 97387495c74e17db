"""What an operator process is told by its environment."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from pieced_billing.errors import UsageError
from pieced_billing.store.connections import Urls, urls
from pieced_operator.names import ORG_LABEL

_LABEL: Final = re.compile(r"(?:[a-z0-9][-a-z0-9.]{0,252}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one operator process.

    `identity` is what it holds the Lease by: the pod's name, so that a container started again in its pod goes on at
    once; elsewhere something unique.
    """

    database: Urls
    org_label: str
    retention_period: timedelta
    identity: str


def settings_of(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment; UsageError when one is missing or written wrong."""
    return Settings(
        database=urls(environment),
        org_label=org_label(environment),
        retention_period=_days(environment.get("PIECED_RETENTION_DAYS") or "60"),
        identity=environment.get("POD_NAME") or f"{socket.gethostname()}-{uuid4().hex[:8]}",
    )


def org_label(environment: Mapping[str, str]) -> str:
    """The label that names a tenant's organisation; UsageError for what no label can be called."""
    label = environment.get("PIECED_ORG_LABEL") or ORG_LABEL
    if not _LABEL.fullmatch(label):
        raise UsageError(f"PIECED_ORG_LABEL is {label!r}; it must be a label's key, such as {ORG_LABEL}.")
    return label


def _days(text: str) -> timedelta:
    if not text.isascii() or not text.isdigit() or int(text) > 36_500:
        raise UsageError(f"PIECED_RETENTION_DAYS is {text!r}; it must be a whole number of days.")
    return timedelta(days=int(text))
