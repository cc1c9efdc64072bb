"""Silence of a shard: no batch has ended for much longer than the batches before took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_operator.decide.backoff import compute_delay

if TYPE_CHECKING:
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.decide.outcome import Outcome
    from synth_operator.kube.job_object import JobObject

_FACTOR: Final = 3
"""Silence of that many of the longest batches so far is worth saying."""
_MIN_DURATION: Final = timedelta(minutes=2)
"""Shorter silences are usual: a pod is created, its image pulled, its engine loaded."""


@dataclass(frozen=True)
class Silence:
    """When the last batch of a Job ended, and when the next one is overdue."""

    since: datetime
    due: datetime
    is_overdue: bool

    def add_to(self, outcome: Outcome, context: Context) -> Outcome:
        """Return the outcome with a sentence about the silence, or with a pass at the time when one is due."""
        if not self.is_overdue:
            return outcome.requeue_within(compute_delay(self.due, context.now))
        since = f"{self.since:%Y-%m-%d %H:%M:%S} UTC"
        sentence = f"No batch has ended since {since}; synth logs {context.sweep.name} shows what the pods wait for."
        return replace(outcome, message=f"{outcome.message} {sentence}")


def find_silence(context: Context, status: SweepStatus, job: JobObject) -> Silence | None:
    """Return the silence of a Job that renders; None before its first batch has ended."""
    pods = [pod for pod in context.find_pods(job) if pod.exit_code == ExitCode.OK]
    times = [(pod.start_time, pod.finish_time) for pod in pods if pod.start_time and pod.finish_time]
    paced = status.attempt.pace_time if status.attempt else None
    if not times or paced is None:
        return None
    longest = max(end - start for start, end in times)
    since = max(paced, *(end for _, end in times))
    due = since + max(_MIN_DURATION, _FACTOR * longest)
    return Silence(since, due, is_overdue=context.now >= due)
