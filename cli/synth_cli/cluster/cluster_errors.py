"""Errors of requests to a cluster, each with a message of one sentence."""

from __future__ import annotations

import json
from typing import Final

from synth_api.errors import InputError, TryAgainError

_MAX_CHARACTERS: Final = 300
"""Longer texts of the API server or the network are cut in messages."""
_LOG_IN: Final = "the cluster does not accept your credentials; log in again or choose another --context"
_ASK: Final = "ask for the role, or give another namespace or context with -n or --context"


class ClusterError(TryAgainError):
    """The cluster is unreachable or busy; the same call may succeed later."""


class AbsentError(TryAgainError):
    """The API server does not have the requested object."""


def to_status_error(server: str, status: int, body: bytes) -> Exception:
    """Return the exception for an HTTP status other than success."""
    message = _read_message(body) or f"status {status}"
    if status == 401:
        return InputError(server, _LOG_IN)
    if status == 403:
        return InputError(server, f"you are not allowed to do this: {message}; {_ASK}")
    if status == 404:
        return AbsentError(message)
    if status == 429 or status >= 500:
        return ClusterError(f"the cluster at {server} is busy: {message}; try again")
    return InputError(server, f"the cluster refuses this: {message}")


def to_connection_error(server: str, error: Exception) -> ClusterError:
    """Return the exception for a request without an answer."""
    reason = " ".join(str(getattr(error, "reason", None) or error).split())[:_MAX_CHARACTERS]
    return ClusterError(
        f"the cluster at {server} cannot be reached: {reason}; check that it runs, or give another --context"
    )


def _read_message(body: bytes) -> str:
    try:
        message = str(json.loads(body)["message"])
    except (TypeError, ValueError, KeyError):
        return ""
    return " ".join(message.split()).rstrip(".")[:_MAX_CHARACTERS]
