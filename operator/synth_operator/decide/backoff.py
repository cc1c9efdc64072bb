"""Backoff: the delay before another try."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_operator.decide.outcome import is_waiting_for

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.reasons import Reason
    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepStatus

_MIN_DELAY: Final = timedelta(seconds=5)
_MAX_DELAY: Final = timedelta(minutes=10)
MESSAGE_GRACE: Final = timedelta(seconds=5)
"""Delay between the end of a Job and its pods' messages: the watches of Jobs and pods are not synchronised."""


def compute_next_try(status: SweepStatus | DatasetStatus, reason: Reason, failed_at: datetime) -> datetime:
    """Return the time of the next try after a failure at `failed_at`.

    The delay is the time since the first failure with this reason, within 5 s and 10 minutes. So it doubles with each
    try and needs no counter: `status.waitingSince` is the time of the first failure.
    """
    since = status.waiting_since if is_waiting_for(status, reason) and status.waiting_since is not None else failed_at
    return failed_at + min(max(failed_at - since, _MIN_DELAY), _MAX_DELAY)


def compute_delay(moment: datetime, now: datetime) -> float:
    """Return the seconds from `now` to `moment`, at least one: times in the API are whole seconds."""
    return max(1.0, (moment - now).total_seconds())
