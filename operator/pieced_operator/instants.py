"""Instants as Kubernetes writes them."""

from datetime import UTC, datetime


def second_text(instant: datetime) -> str:
    """An instant in whole seconds, rounded down."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
