"""The Warning Events of a namespace, read for all sweeps together.

The API server keeps no index of Events: whatever the selector, a list makes it read all those of the namespace. While
the Jobs of 200 sweeps waited for their pods, a list for each of them took half of the server's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

from synth_operator.kube.api import Resource
from synth_operator.kube.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from synth_operator.kube.api import Api

_SHARED_SECONDS: Final = 2.0
"""How old a list may be."""


@dataclass(frozen=True)
class JobWarning:
    """A Warning Event on one of our Jobs: its pods cannot be made."""

    job: str
    reason: str
    message: str
    at: datetime

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From an Event's JSON."""
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
            at=moment(at),
        )


class WarningEvents:
    """Thread-safe; kept by namespace and kind of the objects concerned. `clock` gives seconds."""

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self._api = api
        self._clock = clock
        self._lock = Lock()
        self._lists: dict[tuple[str, str], tuple[float, Mapping[str, JobWarning]]] = {}

    def last(self, namespace: str, kind: str, name: str) -> JobWarning | None:
        """The last Warning about a Job or pod, as it was at most two seconds ago.

        Raises:
            ApiError: the API refused, or did not answer.
        """
        with self._lock:  # whoever else asks meanwhile finds the answer here
            key = namespace, kind
            at, found = self._lists.get(key, (float("-inf"), {}))
            if self._clock() - at >= _SHARED_SECONDS:
                at, found = self._clock(), self._read(namespace, kind)
                self._lists[key] = at, found
            return found.get(name)

    def _read(self, namespace: str, kind: str) -> Mapping[str, JobWarning]:
        bodies = self._api.find(Resource.EVENTS, namespace, fields=f"type=Warning,involvedObject.kind={kind}")
        told = ((body["involvedObject"]["name"], JobWarning.of(body)) for body in bodies)
        return dict(sorted(told, key=lambda named: named[1].at))
