"""Input of one pass over a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.jobs.names import build_attempt_label
from synth_operator.decide.claims import check_dataset_claim
from synth_operator.decide.context import is_active, match_jobs, select_jobs
from synth_operator.manifests.dataset_jobs import RETRIES_PER_PART

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import DatasetSpec, DatasetStatus
    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedDataset
    from synth_operator.kube.dataset_object import DatasetObject
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.manifests.names import JobKey


@dataclass(frozen=True)
class DatasetContext:
    """Everything that a decision about a dataset depends on."""

    dataset: DatasetObject
    observed: ObservedDataset
    configuration: Configuration
    now: datetime
    """Whole seconds, as in the API."""

    @property
    def owner(self) -> DatasetObject:
        """The dataset as the owner of its Jobs."""
        return self.dataset

    @property
    def children(self) -> ObservedDataset:
        """Its Jobs, and what belongs to them."""
        return self.observed

    @property
    def spec(self) -> DatasetSpec:
        """Spec of the dataset as the user wrote it."""
        return self.dataset.spec

    @property
    def previous_status(self) -> DatasetStatus:
        """Status that the last pass wrote."""
        return self.dataset.status

    @property
    def output(self) -> Output | None:
        """Place of the dataset, where it is known: it stays where its first version was built."""
        build = self.previous_status.build
        return self.spec.output or (build.output if build else None)

    @property
    def has_pod_template(self) -> bool:
        """False: users change no pods of a dataset."""
        return False

    @property
    def retries(self) -> int:
        """Further pods for a part."""
        return RETRIES_PER_PART

    @property
    def jobs(self) -> tuple[JobObject, ...]:
        """Jobs of this dataset, without those of a deleted one of the same name."""
        return select_jobs(self.dataset, self.observed)

    def find_other_jobs(self, build: str) -> tuple[JobObject, ...]:
        """Return the Jobs of other builds than the one with this hash."""
        return tuple(job for job in self.jobs if job.attempt != build_attempt_label(build))

    def has_other_pods(self, build: str) -> bool:
        """Return True if a pod of another build, or of a deleted Job, may still write."""
        current = {job.uid for job in self.jobs if job.attempt == build_attempt_label(build)}
        return any(is_active(pod, self.now) for pod in self.observed.pods if pod.owner not in current)

    def find_jobs(self, key: JobKey) -> tuple[JobObject, ...]:
        """Return the Jobs with this key."""
        return match_jobs(self.jobs, key)

    def find_pods(self, *jobs: JobObject) -> tuple[PodObject, ...]:
        """Return the pods that these Jobs control, without messages that do not fit."""
        known = {job.uid: job for job in jobs}
        pods = (pod for pod in self.observed.pods if pod.owner in known)
        return tuple(check_dataset_claim(self.spec, known[pod.owner], pod) for pod in pods)
