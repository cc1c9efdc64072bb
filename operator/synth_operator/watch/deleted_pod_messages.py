"""What pods have said that are gone now.

A pod's message dies with it: seen, when a sweep was suspended, gone within the 0.2 s for which events are gathered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject


class LastWords:
    """By sweep, in one thread. Kept while the pod's Job is there: its tally is in the status before it is deleted."""

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], dict[str, PodObject]] = {}

    def add(self, sweep: tuple[str, str], pod: PodObject) -> None:
        """A pod of a sweep, by namespace and name, as it was when it was deleted."""
        if pod.message is not None:
            self._pods.setdefault(sweep, {})[pod.name] = pod

    def of(self, sweep: tuple[str, str], jobs: Iterable[JobObject]) -> tuple[PodObject, ...]:
        """The pods of a sweep that are gone and whose Job is not; others are forgotten."""
        names = {job.name for job in jobs}
        kept = {name: pod for name, pod in self._pods.pop(sweep, {}).items() if pod.job in names}
        if kept:
            self._pods[sweep] = kept
        return tuple(kept.values())
