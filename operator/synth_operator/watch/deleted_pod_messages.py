"""Termination messages of deleted pods.

A message disappears with its pod: after a suspension that takes less than the 0.2 s for which events are collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject


class DeletedPodMessages:
    """Deleted pods with a message, by sweep, for one thread.

    A pod is kept while its Job exists: a Job is deleted only after its tally is in the status.
    """

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], dict[str, PodObject]] = {}

    def add(self, sweep: tuple[str, str], pod: PodObject) -> None:
        """Add a pod of a sweep, named by namespace and name, in its state at deletion."""
        if pod.message is not None:
            self._pods.setdefault(sweep, {})[pod.name] = pod

    def find(self, sweep: tuple[str, str], jobs: Iterable[JobObject]) -> tuple[PodObject, ...]:
        """Return the deleted pods of these Jobs of a sweep, and forget its others."""
        names = {job.name for job in jobs}
        kept = {name: pod for name, pod in self._pods.pop(sweep, {}).items() if pod.job in names}
        if kept:
            self._pods[sweep] = kept
        return tuple(kept.values())
