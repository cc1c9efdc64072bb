"""How long to wait before another try."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_operator.decide.outcome import is_waiting_for

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.reasons import Reason
    from synth_api.resources.synth_sweep import SweepStatus

_FIRST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(seconds=5)
"""That a message may come after the end of its Job: watches of Jobs and pods are not in step."""


def due(status: SweepStatus, reason: Reason, failed_at: datetime) -> datetime:
    """When to try again what failed then: as long after it as it came after the first failure, 5 s to 10 minutes.

    So distances double, and no count of tries is kept: `status` says since when it waits for that.
    """
    since = status.waiting_since if is_waiting_for(status, reason) and status.waiting_since is not None else failed_at
    return failed_at + min(max(failed_at - since, _FIRST), _LONGEST)


def seconds_until(moment: datetime, now: datetime) -> float:
    """At least one: moments are whole seconds."""
    return max(1.0, (moment - now).total_seconds())
