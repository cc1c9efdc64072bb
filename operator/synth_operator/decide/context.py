"""Input of one pass: the sweep, the observed state, the operator's configuration and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.jobs.batches import Batches
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import build_attempt_label

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import AttemptStatus, SweepSpec, SweepStatus
    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedState
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import JobKey

_MAX_TERMINATION: Final = timedelta(minutes=2)
"""Wait for a pod beyond its grace period; the pod of a lost node never disappears by itself."""


@dataclass(frozen=True)
class Context:
    """Everything that a decision depends on."""

    sweep: SweepObject
    observed: ObservedState
    configuration: Configuration
    now: datetime
    """Whole seconds, as in the API."""

    @property
    def spec(self) -> SweepSpec:
        """Spec of the sweep as the user wrote it."""
        return self.sweep.spec

    @property
    def previous_status(self) -> SweepStatus:
        """Status that the last pass wrote."""
        return self.sweep.status

    @property
    def default_output(self) -> Output | None:
        """Default output of the sweep's namespace."""
        return self.configuration.find_output(self.sweep.namespace)

    @property
    def jobs(self) -> tuple[JobObject, ...]:
        """Jobs of this sweep, without those of a deleted sweep of the same name."""
        return tuple(job for job in self.observed.jobs if job.owner == self.sweep.uid)

    def find_jobs(self, key: JobKey) -> tuple[JobObject, ...]:
        """Return the Jobs with this key; more than one after the spec changed."""
        wanted = (key.kind, build_attempt_label(key.attempt), key.shard)
        return tuple(job for job in self.jobs if (job.kind, job.attempt, job.shard) == wanted)

    def find_pods(self, *jobs: JobObject) -> tuple[PodObject, ...]:
        """Return the pods of these Jobs."""
        names = {job.name for job in jobs}
        return tuple(pod for pod in self.observed.pods if pod.job in names)

    def has_active_render_pods(self) -> bool:
        """Return True if a render Job is unfinished or being deleted, or a pod of a deleted render Job still runs."""
        render_jobs = tuple(job for job in self.jobs if job.kind is JobKind.RENDER)
        if any(job.deleting or job.finish is None for job in render_jobs):
            return True
        known = {job.name for job in self.jobs}
        return any(self._is_active(pod) for pod in self.observed.pods if pod.job not in known)

    def _is_active(self, pod: PodObject) -> bool:
        lost = pod.deletion_time is not None and self.now >= pod.deletion_time + _MAX_TERMINATION
        return pod.kind == JobKind.RENDER.value and not pod.is_finished and not lost


def build_batches(attempt: AttemptStatus) -> Batches:
    """Return the batches of a planned attempt."""
    return Batches(attempt.todo or 0, max(1, attempt.batch_size))
