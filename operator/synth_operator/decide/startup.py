"""Start-up of render pods with GPUs: Cycles kernels are loaded, or compiled by the driver, before the first run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from synth_operator.decide.backoff import compute_delay

if TYPE_CHECKING:
    from synth_operator.decide.context import Context
    from synth_operator.decide.outcome import Outcome
    from synth_operator.kube.job_object import JobObject

_MIN_DURATION: Final = timedelta(minutes=1)
"""Shorter start-ups are usual: kernels are loaded in seconds."""


@dataclass(frozen=True)
class Startup:
    """Since when all running pods of a Job start up."""

    since: datetime

    def add_to(self, outcome: Outcome, context: Context) -> Outcome:
        """Return the outcome with a sentence about the start-up, or with a pass at the time when one is due."""
        due = self.since + _MIN_DURATION
        if context.now < due:
            return outcome.requeue_within(compute_delay(due, context.now))
        sentence = (
            f"All render pods start up since {self.since:%Y-%m-%d %H:%M:%S} UTC: Cycles kernels are loaded onto their "
            f"GPUs, or compiled by the driver; synth logs {context.sweep.name} shows which."
        )
        return replace(outcome, message=f"{outcome.message} {sentence}")


def find_startup(context: Context, job: JobObject) -> Startup | None:
    """Return the start-up of a Job's pods; None if one of them renders, or none runs."""
    running = [pod for pod in context.find_pods(job) if pod.phase == "Running" and pod.deletion_time is None]
    times = [pod.startup_time for pod in running if pod.startup_time is not None]
    return Startup(min(times)) if times and len(times) == len(running) else None
