"""GPU seconds of runs that share the GPUs of a pod."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class GpuClock:
    """Divides the time of a pod's GPUs equally among the runs in flight.

    So the GPU seconds of all runs together are never more than the pod's time times its GPUs.
    """

    def __init__(self, gpus: int, now: Callable[[], float] = time.monotonic) -> None:
        self._gpus = gpus
        self._now = now
        self._seconds: dict[int, float] = {}
        self._startup = 0.0
        self._last = 0.0

    def start(self, run: int) -> None:
        """Begin to count a run."""
        self._divide()
        self._seconds[run] = 0.0

    def stop(self, run: int) -> float:
        """Return the GPU seconds of a run since its start, 0 if it was not started."""
        self._divide()
        return self._seconds.pop(run, 0.0)

    def count_startup(self, seconds: float) -> float:
        """Return the GPU seconds of a start-up since the last call; `seconds` are those since it began.

        They are 0 while runs are in flight, to which the time counts.
        """
        before, self._startup = self._startup, seconds
        return 0.0 if self._seconds else self._gpus * max(0.0, seconds - before)

    def _divide(self) -> None:
        now = self._now()
        for run in self._seconds:
            self._seconds[run] += self._gpus * (now - self._last) / len(self._seconds)
        self._last = now
