"""One pass: the sweep, what is observed, how the operator is configured, and what time it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.jobs.batches import Batches
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import attempt_label

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.synth_sweep import AttemptStatus, SweepSpec, SweepStatus
    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import Observed
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import Task

_LINGER: Final = timedelta(minutes=2)
"""That a pod is waited for beyond its grace period; a lost node's pod never goes by itself."""


@dataclass(frozen=True)
class View:
    """Everything that a decision is made from."""

    sweep: SweepObject
    observed: Observed
    rules: Configuration
    now: datetime
    """In whole seconds, as the API keeps moments."""

    @property
    def spec(self) -> SweepSpec:
        """As written."""
        return self.sweep.spec

    @property
    def before(self) -> SweepStatus:
        """The status as it was left."""
        return self.sweep.status

    @property
    def jobs(self) -> tuple[JobObject, ...]:
        """The sweep's own, not those of a former one of its name."""
        return tuple(job for job in self.observed.jobs if job.owner == self.sweep.uid)

    def jobs_of(self, task: Task) -> tuple[JobObject, ...]:
        """All that were made for a task; more than one when the spec changed."""
        wanted = (task.kind, attempt_label(task.attempt), task.shard)
        return tuple(job for job in self.jobs if (job.kind, job.attempt, job.shard) == wanted)

    def pods_of(self, *jobs: JobObject) -> tuple[PodObject, ...]:
        """The pods of some Jobs."""
        names = {job.name for job in jobs}
        return tuple(pod for pod in self.observed.pods if pod.job in names)

    def at_work(self, but: JobObject | None = None) -> bool:
        """Whether render Jobs other than one are unfinished or going, or pods of such Jobs still run."""
        others = tuple(job for job in self.jobs if job.kind is JobKind.RENDER and job is not but)
        if any(job.deleting or job.finish is None for job in others):
            return True
        known = {job.name for job in self.jobs}
        return any(self._lingers(pod) for pod in self.observed.pods if pod.job not in known)

    def _lingers(self, pod: PodObject) -> bool:
        going = pod.deleted is None or self.now < pod.deleted + _LINGER
        return pod.kind == JobKind.RENDER.value and not pod.over and going


def batches_of(attempt: AttemptStatus) -> Batches:
    """The batches of a planned attempt."""
    return Batches(attempt.todo or 0, max(1, attempt.batch_size))
