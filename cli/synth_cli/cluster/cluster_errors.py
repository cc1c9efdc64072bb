"""What can go wrong between this command and a cluster, each in one sentence."""

from __future__ import annotations

import json
from typing import Final

from synth_api.errors import InputError, UnavailableError

_LONGEST: Final = 300
_LOG_IN: Final = "the cluster does not accept your credentials; log in again or choose another --context"
_ASK: Final = "ask for the role, or give another namespace or context with -n or --context"


class ClusterError(UnavailableError):
    """The cluster cannot be reached or is busy; the same call may work later."""


class AbsentError(UnavailableError):
    """The API server has no such object."""


def refusal(server: str, status: int, body: bytes) -> Exception:
    """What an answer of the API server other than success means."""
    said = _message(body) or f"status {status}"
    if status == 401:
        return InputError(server, _LOG_IN)
    if status == 403:
        return InputError(server, f"you are not allowed to do this: {said}; {_ASK}")
    if status == 404:
        return AbsentError(said)
    if status == 429 or status >= 500:
        return ClusterError(f"the cluster at {server} is busy: {said}; try again")
    return InputError(server, f"the cluster refuses this: {said}")


def unreachable(server: str, error: Exception) -> ClusterError:
    """Nothing answers."""
    reason = " ".join(str(getattr(error, "reason", None) or error).split())[:_LONGEST]
    return ClusterError(f"the cluster at {server} cannot be reached: {reason}; check that it runs, or --context")


def _message(body: bytes) -> str:
    try:
        said = str(json.loads(body)["message"])
    except (TypeError, ValueError, KeyError):
        return ""
    return " ".join(said.split()).rstrip(".")[:_LONGEST]
