"""Input of one pass: the sweep or dataset, the observed state, the operator's configuration and the time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import build_attempt_label
from synth_operator.decide.claims import check_claim

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedJobs, ObservedState
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import JobKey

_MAX_TERMINATION: Final = timedelta(minutes=2)
"""Wait for a pod beyond its grace period; the pod of a lost node never disappears by itself."""


class JobContext(Protocol):
    """What decisions about the Jobs of a sweep or dataset depend on."""

    @property
    def owner(self) -> Owner:
        """The sweep or dataset."""

    @property
    def children(self) -> ObservedJobs:
        """Its Jobs, and what belongs to them."""

    @property
    def now(self) -> datetime:
        """Whole seconds, as in the API."""

    @property
    def previous_status(self) -> SweepStatus | DatasetStatus:
        """Status that the last pass wrote."""

    @property
    def output(self) -> Output | None:
        """Place that its pods write to."""

    @property
    def has_pod_template(self) -> bool:
        """True if the user changes the pods."""

    @property
    def retries(self) -> int:
        """Further pods for a completion index before the whole Job counts as failing."""

    def find_jobs(self, key: JobKey) -> tuple[JobObject, ...]:
        """Return the Jobs with this key; more than one after the spec changed."""

    def find_pods(self, *jobs: JobObject) -> tuple[PodObject, ...]:
        """Return the pods that these Jobs control, without messages that do not fit."""


def select_jobs(owner: Owner, observed: ObservedJobs) -> tuple[JobObject, ...]:
    """Return the Jobs of this owner, without those of a deleted one of the same name."""
    return tuple(job for job in observed.jobs if job.owner == owner.uid)


def match_jobs(jobs: Iterable[JobObject], key: JobKey) -> tuple[JobObject, ...]:
    """Return the Jobs with a key."""
    wanted = (key.kind, build_attempt_label(key.attempt), key.shard)
    return tuple(job for job in jobs if (job.kind, job.attempt, job.shard) == wanted)


def is_active(pod: PodObject, now: datetime) -> bool:
    """Return True if a container of the pod may still run."""
    lost = pod.deletion_time is not None and now >= pod.deletion_time + _MAX_TERMINATION
    return not pod.is_finished and not lost


@dataclass(frozen=True)
class Context:
    """Everything that a decision about a sweep depends on."""

    sweep: SweepObject
    observed: ObservedState
    configuration: Configuration
    now: datetime
    """Whole seconds, as in the API."""

    @property
    def owner(self) -> SweepObject:
        """The sweep as the owner of its Jobs."""
        return self.sweep

    @property
    def children(self) -> ObservedState:
        """Its Jobs, and what belongs to them."""
        return self.observed

    @property
    def output(self) -> Output | None:
        """Place that its pods write to."""
        return self.spec.output or self.default_output

    @property
    def has_pod_template(self) -> bool:
        """True if the user changes the pods."""
        return bool(self.spec.pod_template)

    @property
    def retries(self) -> int:
        """Further pods for a run whose worker died."""
        return self.spec.retries_per_run

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
        return select_jobs(self.sweep, self.observed)

    def find_jobs(self, key: JobKey) -> tuple[JobObject, ...]:
        """Return the Jobs with this key; more than one after the spec changed."""
        return match_jobs(self.jobs, key)

    def find_pods(self, *jobs: JobObject) -> tuple[PodObject, ...]:
        """Return the pods that these Jobs control, without messages that do not fit their batch."""
        known = {job.uid: job for job in jobs}
        pods = (pod for pod in self.observed.pods if pod.owner in known)
        return tuple(check_claim(self.previous_status, self.spec, known[pod.owner], pod) for pod in pods)

    def has_active_render_pods(self) -> bool:
        """Return True if a render Job is unfinished or being deleted, or a pod of a deleted render Job still runs."""
        render_jobs = tuple(job for job in self.jobs if job.kind is JobKind.RENDER)
        if any(job.deleting or job.finish is None for job in render_jobs):
            return True
        known = {job.uid for job in self.jobs}
        return any(self._is_active(pod) for pod in self.observed.pods if pod.owner not in known)

    def _is_active(self, pod: PodObject) -> bool:
        return self.is_render_pod(pod) and is_active(pod, self.now)

    def is_render_pod(self, pod: PodObject) -> bool:
        """Return True if the pod's Job, which may be deleted by now, has the name of a render Job of this sweep."""
        return re.fullmatch(f"{re.escape(self.sweep.name)}-[0-9a-f]{{8}}-r[0-9]+", pod.job) is not None
