"""The shard that is rendered now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import input_name, job_name
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import AttemptStatus, Phase, SweepStatus
from synth_operator.decide.actions import Action, CreateJob, DeleteJob, PatchJob
from synth_operator.decide.backoff import PATIENCE, seconds_until
from synth_operator.decide.context import batches_of
from synth_operator.decide.limits import runs, too_many
from synth_operator.decide.outcome import Conclusion, changed, concluded, suspended, waiting
from synth_operator.decide.pod_problems import failure, obstacle, remembered
from synth_operator.decide.single_pod_job import missing_input, refused, stuck_otherwise
from synth_operator.decide.tally import counted, settled
from synth_operator.manifests.jobs import inputs_hash, parallelism, render_job
from synth_operator.manifests.names import Task

if TYPE_CHECKING:
    from synth_operator.decide.context import View
    from synth_operator.kube.job_object import JobObject
    from synth_operator.validation import Checked

_LOOK_AGAIN: Final = 5.0
_LOOK_RARELY: Final = 60.0


def render_stage(view: View, status: SweepStatus, attempt: AttemptStatus, checked: Checked) -> Conclusion | SweepStatus:
    """What to do about the current shard; a status to go on from when it is settled or given up."""
    task = Task(JobKind.RENDER, attempt.hash, attempt.settled.shards)
    jobs = view.jobs_of(task)
    status = counted(status, attempt, batches_of(attempt), jobs, view.pods_of(*jobs))
    verdict = too_many(view.spec, status.runs.failed, status.runs.total)
    if verdict:
        return changed(status, attempt=attempt.model_copy(update={"verdict": verdict}))
    wanted = inputs_hash(view.sweep, task)
    job = next((job for job in jobs if not job.deleting and (job.finish or job.inputs == wanted)), None)
    if job is None:
        return _without_job(view, status, task, checked, jobs)
    if job.finish:
        return _finished(view, status, attempt, job)
    return _rendering(view, status, task, checked, job)


def _without_job(
    view: View, status: SweepStatus, task: Task, checked: Checked, jobs: tuple[JobObject, ...]
) -> Conclusion:
    outdated = tuple(DeleteJob(job.name, job.uid) for job in jobs if not job.deleting)
    if view.spec.suspend:
        return suspended(status, outdated)
    if view.at_work():
        text = "Waiting for the former render pods to end."
        return concluded(status, Phase.RENDERING, Reason.RENDERING, text, outdated, after=_LOOK_AGAIN)
    name = job_name(view.sweep.name, inputs_hash(view.sweep, task), task.kind, task.shard)
    held = refused(view, status, name, input_name(view.sweep.name, task.attempt))
    if held and held.problem:
        return waiting(view, status, held.problem, held.actions, held.after)
    actions = (*missing_input(view, task, checked), CreateJob(_body(view, task, checked, status)))
    problem = remembered(view, status, started=False)
    return waiting(view, status, problem, actions) if problem else _at_work(view, status, actions)


def _finished(view: View, status: SweepStatus, attempt: AttemptStatus, job: JobObject) -> Conclusion | SweepStatus:
    """Counts the shard for good, once the messages of its pods have had time to come."""
    assert job.finish is not None
    told = {pod.index for pod in view.pods_of(job) if pod.message}
    if not told.issuperset(job.completed) and view.now < job.finish.at + PATIENCE:
        return _at_work(view, status, after=seconds_until(job.finish.at + PATIENCE, view.now))
    status = settled(status, attempt)
    verdict = _impossible(view, job)
    if verdict and status.attempt:
        return changed(status, attempt=status.attempt.model_copy(update={"verdict": verdict}))
    return status


def _impossible(view: View, job: JobObject) -> Problem | None:
    """Why a Job that its failure policy ended can never work."""
    if job.finish is None or job.finish.reason != "PodFailurePolicy":
        return None
    pods = [pod for pod in view.pods_of(job) if pod.exit_code == ExitCode.NEVER]
    return failure(pods[0] if pods else None)


def _rendering(view: View, status: SweepStatus, task: Task, checked: Checked, job: JobObject) -> Conclusion:
    remove = (DeleteJob(job.name, job.uid),)
    if view.spec.suspend:
        actions = remove if view.spec.queue_name else _patched(job, suspend=True)
        return suspended(status, actions)
    if view.spec.queue_name and job.suspend:
        queued = Problem(reason=Reason.QUEUED, message=f"Waiting in the queue '{view.spec.queue_name}'.")
        return waiting(view, status, queued, missing_input(view, task, checked))
    problem = None if _progressed(view, status) else obstacle(view, status, job)
    if problem and stuck_otherwise(view, job, _body(view, task, checked, status)):
        return waiting(view, status, problem, remove)
    wanted = parallelism(view.spec.parallelism, job.completions)
    actions = (*missing_input(view, task, checked), *_patched(job, wanted, suspend=False))
    if problem:
        return waiting(view, status, problem, actions, _LOOK_RARELY)
    return _at_work(view, status, actions)


def _progressed(view: View, status: SweepStatus) -> bool:
    """Whether more is finished than the status says: whatever it waited for is over."""
    before, now = view.before.runs, status.runs
    return now.succeeded + now.failed > before.succeeded + before.failed


def _patched(job: JobObject, wanted: int | None = None, *, suspend: bool) -> tuple[Action, ...]:
    parallel = wanted if wanted != job.parallelism else None
    switch = suspend if suspend != job.suspend else None
    if parallel is None and switch is None:
        return ()
    return (PatchJob(job.name, job.uid, parallelism=parallel, suspend=switch),)


def _body(view: View, task: Task, checked: Checked, status: SweepStatus) -> dict[str, object]:
    assert status.attempt is not None
    return render_job(view.sweep, task, batches_of(status.attempt), checked.output, view.rules)


def _at_work(
    view: View, status: SweepStatus, actions: tuple[Action, ...] = (), after: float | None = None
) -> Conclusion:
    """Rendering; its pace is measured from here when it did not render before."""
    attempt = status.attempt
    assert attempt is not None
    if view.before.phase is not Phase.RENDERING or attempt.pace_time is None:
        finished = status.runs.succeeded + status.runs.failed
        attempt = attempt.model_copy(update={"pace_time": view.now, "pace_runs": finished})
        status = changed(status, attempt=attempt, start_time=_start(view, status))
    pods = f"{view.spec.parallelism} pods" if view.spec.parallelism > 1 else "1 pod"
    text = f"Rendering {runs(attempt.todo or 0)} with at most {pods} at a time."
    return concluded(status, Phase.RENDERING, Reason.RENDERING, text, actions, after)


def _start(view: View, status: SweepStatus) -> object:
    """A resumed sweep has its whole time again, as a resumed Job."""
    return view.now if view.before.phase is Phase.SUSPENDED else status.start_time
