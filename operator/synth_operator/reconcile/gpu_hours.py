"""GPU hours of a namespace on one day (UTC), from the times that the kubelet reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_operator.kube.pod_object import PodObject

HOUR_SECONDS: Final = 3600


def find_day(now: datetime) -> datetime:
    """Return the beginning of the day, in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class GpuDay:
    """What is kept of a namespace's day when the operator restarts, in GPU seconds."""

    day: datetime
    used: float
    """All that was used."""
    gone: float
    """The part of pods that no longer exist."""


@dataclass
class _SweepPods:
    """GPU pods of a sweep that exist, and what they used until `at`."""

    pods: dict[str, PodObject]
    used: float
    rate: int
    """GPUs in use, which add this many GPU seconds every second."""
    at: datetime

    def compute(self, now: datetime) -> float:
        """Return the GPU seconds until now."""
        return self.used + self.rate * max(0.0, (now - self.at).total_seconds())


class GpuHours:
    """Counts a namespace's GPU seconds; not thread-safe.

    A pod counts from the start to the end that its node reports, and one that disappeared without an end until that was
    noticed. What was used is never less than `start` says: pods that were deleted while no operator ran are in it.
    """

    def __init__(self, start: GpuDay) -> None:
        self._day = start.day
        self._floor = start.used
        self._gone = start.gone
        self._sweeps: dict[str, _SweepPods] = {}

    def record(self, sweep: str, pods: Iterable[PodObject], now: datetime) -> None:
        """Record the pods of a sweep that exist now, and those whose end is known."""
        self._begin_day(now)
        before = self._sweeps.pop(sweep, None)
        current = {pod.name: pod for pod in pods if pod.gpus and pod.start_time}
        if before:
            gone = (pod for name, pod in before.pods.items() if name not in current)
            self._gone += sum(pod.gpus * pod.compute_seconds(self._day, now) for pod in gone)
        if not current:
            return
        used = sum(pod.gpus * pod.compute_seconds(self._day, now) for pod in current.values())
        rate = sum(pod.gpus for pod in current.values() if not pod.is_finished)
        self._sweeps[sweep] = _SweepPods(current, used, rate, now)

    def compute_seconds(self, now: datetime) -> float:
        """Return the GPU seconds of the day so far."""
        self._begin_day(now)
        return max(self._floor, self._gone + sum(sweep.compute(now) for sweep in self._sweeps.values()))

    @property
    def rate(self) -> int:
        """GPUs in use now."""
        return sum(sweep.rate for sweep in self._sweeps.values())

    @property
    def sweeps(self) -> tuple[str, ...]:
        """Names of the sweeps with GPU pods."""
        return tuple(self._sweeps)

    def summarize(self, now: datetime) -> GpuDay:
        """Return what another process needs to go on counting."""
        used = self.compute_seconds(now)
        return GpuDay(self._day, used, self._gone)

    def _begin_day(self, now: datetime) -> None:
        day = find_day(now)
        if day == self._day:
            return
        self._day, self._floor, self._gone = day, 0.0, 0.0
        for sweep in self._sweeps.values():
            sweep.used, sweep.at = 0.0, max(day, sweep.at)


def find_next_day(now: datetime) -> datetime:
    """Return the end of the day, in UTC."""
    return find_day(now) + timedelta(days=1)
