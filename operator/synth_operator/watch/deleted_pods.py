"""Deleted pods, whose termination messages and times still count.

Both disappear with the pod: after a suspension that takes less than the 0.2 s for which events are collected.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject


class DeletedPods:
    """Deleted pods that had a node, by sweep. Thread-safe.

    One with a message is kept while its Job exists: a Job is deleted only after its tally is in the status. Any is kept
    until its time is in the status.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._pods: dict[tuple[str, str], dict[str, PodObject]] = {}

    def add(self, sweep: tuple[str, str], pod: PodObject) -> None:
        """Add a pod of a sweep, named by namespace and name, in its state at deletion."""
        if pod.message is not None or pod.start_time is not None:
            with self._lock:
                self._pods.setdefault(sweep, {})[pod.name] = pod

    def find(
        self, sweep: tuple[str, str], jobs: Iterable[JobObject], counted_until: datetime | None
    ) -> tuple[PodObject, ...]:
        """Return the deleted pods of a sweep that may not be counted yet, and forget its others.

        `counted_until` is the time until which the status counts the time of pods; None if it never did.
        """
        uids = {job.uid for job in jobs}
        with self._lock:
            kept = {
                name: pod
                for name, pod in self._pods.pop(sweep, {}).items()
                if (pod.message is not None and pod.owner in uids) or _has_more_time(pod, counted_until)
            }
            if kept:
                self._pods[sweep] = kept
            return tuple(kept.values())


def _has_more_time(pod: PodObject, counted_until: datetime | None) -> bool:
    return counted_until is not None and pod.end_time is not None and pod.end_time > counted_until
