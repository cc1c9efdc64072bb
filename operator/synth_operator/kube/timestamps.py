"""Timestamps of the Kubernetes API."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """RFC 3339 as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
