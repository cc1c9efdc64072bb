"""Warning Events of a namespace, listed once for all its sweeps.

The API server keeps no index of Events: with any selector it reads all Events of the namespace. While the Jobs of 200
sweeps waited for their pods, one list for each of them took half of the server's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

from synth_operator.kube.api import Resource
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from synth_operator.kube.api import Api

_MAX_AGE_SECONDS: Final = 2.0
"""Age up to which a list is used again."""


@dataclass(frozen=True)
class JobWarning:
    """A Warning Event about a Job or one of its pods."""

    job: str
    reason: str
    message: str
    at: datetime

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the warning in an Event's JSON, at the time of its last occurrence."""
        at = (
            (body.get("series") or {}).get("lastObservedTime")
            or body.get("lastTimestamp")
            or body.get("eventTime")
            or body["metadata"]["creationTimestamp"]
        )
        return cls(
            job=body["involvedObject"]["name"],
            reason=body.get("reason", ""),
            message=body.get("message", ""),
            at=parse_timestamp(at),
        )


class WarningEvents:
    """Cache of the lists, by namespace and kind of the involved objects. Thread-safe; `clock` returns seconds."""

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._clock = clock
        self._lock = Lock()
        self._lists: dict[tuple[str, str], tuple[float, Mapping[str, JobWarning]]] = {}

    def find_last(self, namespace: str, kind: str, name: str) -> JobWarning | None:
        """Return the latest Warning about a Job or pod, at most two seconds old, or None.

        Raises:
            ApiError: the API refused, or did not answer.
        """
        with self._lock:  # concurrent callers wait for one list
            key = namespace, kind
            at, found = self._lists.get(key, (float("-inf"), {}))
            if self._clock() - at >= _MAX_AGE_SECONDS:
                at, found = self._clock(), self._read(namespace, kind)
                self._lists[key] = at, found
            return found.get(name)

    def _read(self, namespace: str, kind: str) -> Mapping[str, JobWarning]:
        bodies = self._api.find(Resource.EVENTS, namespace, fields=f"type=Warning,involvedObject.kind={kind}")
        warnings = sorted(map(JobWarning.from_json, bodies), key=lambda warning: warning.at)
        return {warning.job: warning for warning in warnings}
