"""Claims: a termination message counts only if it fits what the operator knows of the pod's Job.

Whoever may create pods in a namespace can write a message, and can even make a Job adopt his pod. So a message is worth
no more than the batch, or the Job, that it is about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from synth_api.jobs.batches import Batches
from synth_api.jobs.messages import (
    BatchMessage,
    DeleteMessage,
    ExportMessage,
    FinalizeMessage,
    JobKind,
    PlanMessage,
    PublishMessage,
)

if TYPE_CHECKING:
    from synth_api.jobs.messages import Message
    from synth_api.resources.synth_dataset import DatasetSpec
    from synth_api.resources.synth_sweep import AttemptStatus, SweepSpec, SweepStatus
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

MESSAGES: Final = {
    JobKind.PLAN: PlanMessage,
    JobKind.RENDER: BatchMessage,
    JobKind.FINALIZE: FinalizeMessage,
    JobKind.EXPORT: ExportMessage,
    JobKind.PUBLISH: PublishMessage,
    JobKind.DELETE: DeleteMessage,
}


def build_batches(attempt: AttemptStatus) -> Batches:
    """Return the batches of a planned attempt."""
    return Batches(attempt.todo or 0, max(1, attempt.batch_size))


def check_claim(status: SweepStatus, spec: SweepSpec, job: JobObject, pod: PodObject) -> PodObject:
    """Return the pod of a Job of the current attempt, without its message if that does not fit."""
    if pod.message is None or _fits(status, spec, job, pod, pod.message):
        return pod
    return _refuse_message(pod)


def check_dataset_claim(spec: DatasetSpec, job: JobObject, pod: PodObject) -> PodObject:
    """Return the pod of a dataset's Job, without its message if that does not fit."""
    message = pod.message
    if message is None:
        return pod
    fits = isinstance(message, MESSAGES[job.kind])
    if isinstance(message, ExportMessage):
        fits = fits and (message.problem is not None or message.part == pod.index)
    if isinstance(message, PublishMessage):
        formats = [folder.partition("-")[0] for folder in message.folders]
        is_published = formats == [export.format for export in spec.exports]
        are_distinct = len({each.split for each in message.splits}) == len(message.splits)
        fits = fits and (message.problem is not None or (is_published and are_distinct))
    return pod if fits else _refuse_message(pod)


def _refuse_message(pod: PodObject) -> PodObject:
    return replace(pod, message=None, has_refused_message=True)


def _fits(status: SweepStatus, spec: SweepSpec, job: JobObject, pod: PodObject, message: Message) -> bool:
    if not isinstance(message, MESSAGES[job.kind]):
        return False
    match message:
        case BatchMessage():
            return status.attempt is not None and _fits_batch(message, status, spec, job, pod)
        case PlanMessage() | FinalizeMessage():
            return message.problem is not None or message.total == status.runs.total
        case _:
            return True


def _fits_batch(message: BatchMessage, status: SweepStatus, spec: SweepSpec, job: JobObject, pod: PodObject) -> bool:
    assert status.attempt is not None
    batches = build_batches(status.attempt)
    shard = batches.get_batches(job.shard)
    if not 0 <= pod.index < len(shard) or message.batch != shard[pod.index]:
        return False
    # A batch takes runs from all over the sweep. Excluded runs, whose number is unknown here, have numbers too.
    end = status.runs.total if not spec.exclude else None
    runs = [failure.run for failure in message.failures]
    size = len(batches.get_runs(message.batch))
    return message.size in (0, size) and all(run >= 0 and (end is None or run < end) for run in runs)
