"""Report of limits: writes the GPU hours of the day for the next leader, at most once a minute."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from synth_operator.kube.api import ApiError
from synth_operator.kube.leader_election import NotLeadingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.reconcile.gpu_hours import GpuDay
    from synth_operator.reconcile.gpu_hours_record import GpuHoursRecord
    from synth_operator.reconcile.limiter import Limiter

log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 5.0
_INTERVAL_SECONDS: Final = 60.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LimitsReport:
    """Writes in a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        limiter: Limiter,
        record: GpuHoursRecord,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._limiter = limiter
        self._record = record
        self._clock = clock
        self._now = now
        self._due = float("-inf")
        self._saved: dict[str, GpuDay] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="limits-report", daemon=True)

    def start(self) -> None:
        """Start to write, in the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is not written yet, and end the thread; call it while this replica leads."""
        self._stopped.set()
        self._thread.join()
        self._due = float("-inf")
        self.write()

    def write(self) -> None:
        """Write the GPU hours if they have changed and the last write is a minute ago."""
        if self._clock() < self._due:
            return
        days = self._limiter.list_days(self._now())
        if days is None or days == self._saved:
            return
        self._due = self._clock() + _INTERVAL_SECONDS
        try:
            self._record.save(days)
        except (ApiError, NotLeadingError) as error:
            log.warning("the GPU hours of the day are not written: %s", error)
        else:
            self._saved = days

    def _run(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            self.write()
