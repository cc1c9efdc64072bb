"""decide_dataset: the actions for a dataset, from the observed state. Pure: no clock, no request, no memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from synth_api.jobs.dataset_input import hash_build, version_folder
from synth_api.jobs.messages import JobKind, PublishMessage
from synth_api.jobs.names import FINALIZER, FORCE_DELETE_ANNOTATION, build_attempt_label, build_input_name
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_dataset import BuildStatus, DatasetPhase, DatasetStatus, ExportAddress
from synth_api.resources.synth_sweep import DeletionPolicy
from synth_operator.decide.actions import Action, CreateJob, DeleteInput, DeleteJob, PatchJob
from synth_operator.decide.backoff import compute_delay
from synth_operator.decide.dataset_context import DatasetContext
from synth_operator.decide.dataset_outcome import (
    SOURCE_REASONS,
    DatasetOutcome,
    build_dataset_outcome,
    build_waiting_dataset,
    list_actions,
    update_dataset,
)
from synth_operator.decide.dataset_sources import choose_output, find_sources, find_spec_problem
from synth_operator.decide.deletion import (
    RETRY_SECONDS,
    add_force_remedy,
    decide_finalizers,
    remove_finalizer,
    report_kept_outputs,
)
from synth_operator.decide.demand import count_open_batches
from synth_operator.decide.limits import format_runs
from synth_operator.decide.outcome import find_ready_reason
from synth_operator.decide.small_job import JobImpossible, JobPending, JobSucceeded, decide_small_job
from synth_operator.manifests.dataset_jobs import build_dataset_config_map, build_dataset_job
from synth_operator.manifests.jobs import limit_parallelism
from synth_operator.manifests.names import JobKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import SourceDataset
    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedDataset
    from synth_operator.decide.small_job import JobResult
    from synth_operator.kube.dataset_object import DatasetObject

_POLL_SECONDS: Final = 5.0
_WITHOUT_JOBS: Final = (*SOURCE_REASONS, Reason.LIMITED)
"""Reasons of a waiting dataset that has no Jobs."""
_FAILED_JOBS_TTL: Final = timedelta(hours=1)
"""Time that the finished Jobs of a dataset that has failed are kept for their logs."""


def decide_dataset(
    dataset: DatasetObject, observed: ObservedDataset, configuration: Configuration, now: datetime
) -> tuple[Action, ...]:
    """Return the actions of one pass, in the order in which they are applied.

    As for a sweep, the status is written before anything that relies on it or destroys its source: a build is in the
    status before its first Job is created, and the end of a Job before the Job is deleted.
    """
    context = DatasetContext(dataset, observed, configuration, now.replace(microsecond=0))
    if finalizers := decide_finalizers(dataset):
        return (finalizers,)
    if dataset.deleting:
        return _decide_deletion(context)
    return list_actions(context, _add_cleanup(context, _decide_outcome(context)))


def count_wanted_pods(context: DatasetContext) -> int:
    """Return the pods that a dataset could use now, for the limits of its namespace; 0 if it has nothing to do."""
    if context.dataset.deleting:
        return 0
    match _find_work(context):
        case _Work(DatasetStatus(build=BuildStatus(verdict=None) as build)):
            jobs = context.find_jobs(JobKey(JobKind.EXPORT, build.hash))
            return 1 if build.exported else max(1, min(map(count_open_batches, jobs), default=build.parts))
        case _:
            return 0


def is_dataset_at_work(status: DatasetStatus) -> bool:
    """Return True if a dataset has, by its status, pods that the limits of its namespace have granted."""
    building = (DatasetPhase.EXPORTING, DatasetPhase.PUBLISHING, DatasetPhase.WAITING)
    return status.build is not None and status.phase in building and find_ready_reason(status) not in _WITHOUT_JOBS


def _decide_outcome(context: DatasetContext) -> DatasetOutcome:
    match _find_work(context):
        case _Work(status, missing):
            return _continue_build(context, status, missing)
        case outcome:
            return outcome


@dataclass(frozen=True)
class _Work:
    """A build to continue."""

    status: DatasetStatus
    """With the build."""
    missing: Problem | None = None
    """Source that the build had and that is not complete any more."""


def _find_work(context: DatasetContext) -> _Work | DatasetOutcome:
    """Return the build to continue, or the outcome of a dataset that has nothing to build now."""
    status = context.previous_status
    if problem := find_spec_problem(context.dataset, context.configuration):
        return _build_stalled_outcome(status, problem)
    if status.version == context.spec.version:
        return _keep_version(context)
    if context.observed.problem:
        return _build_stalled_outcome(status, context.observed.problem)
    sources = find_sources(context)
    if isinstance(sources, Problem):
        if _is_exported(context):
            return _Work(status, sources)
        return build_waiting_dataset(context, status, sources)
    output = choose_output(context, sources)
    if isinstance(output, Problem):
        return _build_stalled_outcome(status, output)
    return _Work(_find_or_start_build(context, sources, output))


def _is_exported(context: DatasetContext) -> bool:
    """Return True if a build of this definition has all its runs: it may be published, whatever its sweeps become."""
    build = context.previous_status.build
    return build is not None and build.exported and build.definition == context.spec.digest


def _keep_version(context: DatasetContext) -> DatasetOutcome:
    """Return the outcome of the version that is published, or of a change that it forbids."""
    status = context.previous_status
    if status.definition == context.spec.digest:
        return build_dataset_outcome(status, DatasetPhase.PUBLISHED, Reason.PUBLISHED, _format_publication(status))
    message = (
        f"Version '{status.version}' is published and stays as it is, but its sources, split, exports or card have "
        "changed; set another spec.version, or take the change back."
    )
    return _build_stalled_outcome(status, Problem(reason=Reason.VERSION_PUBLISHED, message=message))


def _find_or_start_build(context: DatasetContext, sources: tuple[SourceDataset, ...], output: Output) -> DatasetStatus:
    """Return the status with the build in progress, or with a new one for another definition or other datasets."""
    status, definition = context.previous_status, context.spec.digest
    digest = hash_build(context.dataset.uid, definition, sources)
    if status.build and status.build.hash == digest:
        # An edit of anything tries again what could never work.
        is_edited = status.observed_generation != context.dataset.generation
        return update_dataset(status, build=status.build.model_copy(update={"verdict": None})) if is_edited else status
    limit = context.configuration.limits.find(context.dataset.namespace).pods
    build = BuildStatus(
        hash=digest,
        version=context.spec.version,
        definition=definition,
        sources=sources,
        output=output,
        parts=max(1, min(context.spec.parallelism, limit)) if limit is not None else context.spec.parallelism,
    )
    return update_dataset(status, build=build)


def _continue_build(context: DatasetContext, status: DatasetStatus, missing: Problem | None = None) -> DatasetOutcome:
    """Return the outcome of the current stage of a build: export, then publication; `missing` is a source that it had.

    The publish pod reads the sources unless the version is published already.
    """
    build = status.build
    assert build is not None
    if build.verdict:
        return _build_stalled_outcome(status, build.verdict)
    allowance = context.observed.allowance
    if allowance.problem:
        return build_waiting_dataset(context, status, allowance.problem)
    if context.find_other_jobs(build.hash) or context.has_other_pods(build.hash):
        # They may write into the folder of the same version; cleanup deletes their Jobs.
        waiting = "Waiting for the pods of the previous build to end."
        outcome = build_dataset_outcome(status, DatasetPhase.EXPORTING, Reason.EXPORTING, waiting)
        return replace(outcome, requeue_after=_POLL_SECONDS)
    kind = JobKind.PUBLISH if build.exported else JobKind.EXPORT
    match _limit_pods(context, build, _decide_job(context, status, kind, build)):
        case JobSucceeded(PublishMessage() as message):
            return _publish(context, status, build, message)
        case JobSucceeded():
            return _continue_build(context, update_dataset(status, build=build.model_copy(update={"exported": True})))
        case JobImpossible(problem):
            status = update_dataset(status, build=build.model_copy(update={"verdict": problem}))
            return _build_stalled_outcome(status, problem)
        case JobPending(actions, None, requeue_after):
            phase, reason, text = _describe_stage(build, kind, is_short=allowance.is_short)
            outcome = build_dataset_outcome(status, phase, reason, text, actions)
            return replace(outcome, requeue_after=requeue_after)
        case JobPending(actions, problem, requeue_after) if problem:
            sentences = (problem.message, missing.message) if missing else (problem.message,)
            problem = Problem(reason=problem.reason, message=" ".join(sentences))
            return build_waiting_dataset(context, status, problem, actions, requeue_after)
        case unexpected:
            raise AssertionError(unexpected)


def _limit_pods(context: DatasetContext, build: BuildStatus, result: JobResult) -> JobResult:
    """Return the state of a Job with as many pods of the export at once as the limits of the namespace allow."""
    allowed = context.observed.allowance.pods
    if allowed is None or not isinstance(result, JobPending):
        return result
    actions = tuple(_limit_job(action, allowed) for action in result.actions)
    ending = {action.name for action in actions if isinstance(action, DeleteJob)}
    for job in context.find_jobs(JobKey(JobKind.EXPORT, build.hash)):
        wanted, left = limit_parallelism(job.completions, job.completions, allowed), count_open_batches(job)
        is_ending = job.finish is not None or job.deleting or job.name in ending
        if not is_ending and min(wanted, left) != min(job.parallelism, left):
            actions = (*actions, PatchJob(job.name, job.uid, parallelism=wanted))
    return replace(result, actions=actions)


def _limit_job(action: Action, allowed: int) -> Action:
    if not isinstance(action, CreateJob) or "parallelism" not in action.body["spec"]:
        return action
    spec = action.body["spec"]
    parallelism = limit_parallelism(spec["parallelism"], spec["completions"], allowed)
    return CreateJob({**action.body, "spec": {**spec, "parallelism": parallelism}})


def _decide_job(context: DatasetContext, status: DatasetStatus, kind: JobKind, build: BuildStatus) -> JobResult:
    dataset, configuration = context.dataset, context.configuration
    manifest = build_dataset_job(dataset, kind, build, configuration)
    build_input = partial(build_dataset_config_map, dataset, build, configuration)
    key = JobKey(kind, build.hash)
    return decide_small_job(context, status, key, manifest, None if kind is JobKind.DELETE else build_input)


def _describe_stage(build: BuildStatus, kind: JobKind, *, is_short: bool) -> tuple[DatasetPhase, Reason, str]:
    version = f"version '{build.version}'"
    if kind is JobKind.EXPORT:
        pods = "1 pod" if build.parts == 1 else f"{build.parts} pods"
        limited = ", fewer at a time while the namespace is at its limit" if is_short else ""
        return DatasetPhase.EXPORTING, Reason.EXPORTING, f"Exporting {version} in {pods}{limited}."
    return DatasetPhase.PUBLISHING, Reason.PUBLISHING, f"All runs are exported; publishing {version}."


def _publish(
    context: DatasetContext, status: DatasetStatus, build: BuildStatus, message: PublishMessage
) -> DatasetOutcome:
    """Return the outcome after the version is published."""
    folder = version_folder(context.dataset.namespace, context.dataset.name, build.version)
    address = f"{build.output.uri}/{folder}"
    formats = [export.format for export in context.spec.exports]
    status = update_dataset(
        status,
        version=build.version,
        definition=build.definition,
        runs=sum(each.runs for each in message.splits),
        splits=message.splits,
        split_runs=", ".join(f"{each.split} {each.runs}" for each in message.splits),
        root=message.root,
        exports=tuple(
            ExportAddress(format=name, address=f"{address}/{export}")
            for name, export in zip(formats, message.folders, strict=True)
        ),
        formats=",".join(formats),
        dataset=f"{address}/dataset.json",
        publication_time=context.now,
    )
    return build_dataset_outcome(status, DatasetPhase.PUBLISHED, Reason.PUBLISHED, _format_publication(status))


def _format_publication(status: DatasetStatus) -> str:
    by_split = f" ({status.split_runs})" if len(status.splits) > 1 else ""
    runs = f"{format_runs(status.runs or 0)}{by_split}"
    return f"Version '{status.version}' is published: {runs}. Dataset: {status.dataset}"


def _build_stalled_outcome(status: DatasetStatus, problem: Problem) -> DatasetOutcome:
    """Return the outcome of a dataset that goes on after an edit only, of itself or of its sweeps."""
    return build_dataset_outcome(status, DatasetPhase.FAILED, problem.reason, problem.message)


# Cleanup


def _add_cleanup(context: DatasetContext, outcome: DatasetOutcome) -> DatasetOutcome:
    """Return the outcome with the deletion of ConfigMaps and Jobs that nothing needs any more."""
    status = outcome.status
    is_building = status.phase in (DatasetPhase.EXPORTING, DatasetPhase.PUBLISHING, DatasetPhase.WAITING)
    current = build_input_name(context.dataset.name, status.attempt_hash) if is_building else ""
    unused = (DeleteInput(name) for name in sorted(context.observed.inputs - {current}))
    deletions, next_due = _delete_jobs(context, outcome)
    new = tuple(action for action in (*unused, *deletions) if action not in outcome.actions)
    delays = [delay for delay in (outcome.requeue_after, next_due) if delay is not None]
    return replace(outcome, actions=(*outcome.actions, *new), requeue_after=min(delays, default=None))


def _delete_jobs(context: DatasetContext, outcome: DatasetOutcome) -> tuple[tuple[Action, ...], float | None]:
    """Return the deletions of Jobs that are due, and the seconds until the next one."""
    actions: list[Action] = []
    delays: list[float] = []
    for job in context.jobs:
        due = None if job.deleting else _find_deletion_time(context, outcome, job.attempt, job.kind)
        if due and job.finish and outcome.status.phase is DatasetPhase.FAILED:
            due = max(due, job.finish.at + _FAILED_JOBS_TTL)
        if due and due <= context.now:
            actions.append(DeleteJob(job.name, job.uid))
        elif due:
            delays.append(compute_delay(due, context.now))
    return tuple(actions), min(delays, default=None)


def _find_deletion_time(
    context: DatasetContext, outcome: DatasetOutcome, attempt: str, kind: JobKind
) -> datetime | None:
    """Return the time from which a Job is not needed; None as long as it is needed."""
    build = outcome.status.build
    if build is None or attempt != build_attempt_label(build.hash):
        return context.now
    if outcome.reason in _WITHOUT_JOBS or outcome.status.phase in (DatasetPhase.PUBLISHED, DatasetPhase.FAILED):
        return context.now
    return context.now if kind is JobKind.EXPORT and build.exported else None


# Deletion


def _decide_deletion(context: DatasetContext) -> tuple[Action, ...]:
    """Return the actions for a dataset that is being deleted; none without our finalizer."""
    dataset, build = context.dataset, context.previous_status.build
    if FINALIZER not in dataset.finalizers:
        return ()
    forced = FORCE_DELETE_ANNOTATION in dataset.annotations
    if forced or build is None or context.spec.deletion_policy is not DeletionPolicy.DELETE:
        return (remove_finalizer(dataset),)
    if any(refusal.namespace_ends for refusal in context.observed.refusals):
        return (report_kept_outputs(dataset, build.output, context.configuration), remove_finalizer(dataset))
    return tuple(_remove_versions(context, build))


def _remove_versions(context: DatasetContext, build: BuildStatus) -> Iterator[Action]:
    """Yield the actions that end the dataset's Jobs and then remove its versions."""
    others = tuple(job for job in context.jobs if job.kind is not JobKind.DELETE)
    status = context.previous_status
    if others or (not context.find_jobs(JobKey(JobKind.DELETE, build.hash)) and context.has_other_pods(build.hash)):
        ends = tuple(DeleteJob(job.name, job.uid) for job in others if not job.deleting)
        yield from _continue_deletion(context, "Waiting for the dataset's pods to end.", ends, _POLL_SECONDS)
        return
    match _decide_job(context, status, JobKind.DELETE, build):
        case JobSucceeded():
            yield remove_finalizer(context.dataset)
        case JobImpossible(problem):
            yield from _block_deletion(context, problem, (), RETRY_SECONDS)
        case JobPending(actions, problem, requeue_after) if problem:
            yield from _block_deletion(context, problem, actions, requeue_after)
        case JobPending(actions, _, requeue_after):
            message = "Removing the versions of the dataset from the store."
            yield from _continue_deletion(context, message, actions, requeue_after)


def _continue_deletion(
    context: DatasetContext, message: str, actions: tuple[Action, ...], requeue_after: float | None = None
) -> tuple[Action, ...]:
    outcome = build_dataset_outcome(context.previous_status, DatasetPhase.DELETING, Reason.DELETING, message, actions)
    return list_actions(context, replace(outcome, requeue_after=requeue_after))


def _block_deletion(
    context: DatasetContext, problem: Problem, actions: tuple[Action, ...], requeue_after: float | None
) -> tuple[Action, ...]:
    problem = add_force_remedy(problem, "dataset")
    outcome = build_waiting_dataset(
        context, context.previous_status, problem, actions, requeue_after, DatasetPhase.DELETING
    )
    return list_actions(context, outcome)
