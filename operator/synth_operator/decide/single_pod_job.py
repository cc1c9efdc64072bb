"""A step that one small pod does: plan, finalize, delete. It is made, watched, and made anew until it has succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import DeleteMessage, FinalizeMessage, JobKind, PlanMessage
from synth_api.jobs.names import HASH_ANNOTATION, input_name, job_name
from synth_operator.decide.actions import Action, CreateInput, CreateJob, DeleteJob
from synth_operator.decide.backoff import PATIENCE, due, seconds_until
from synth_operator.decide.pod_problems import failure, obstacle, problem_of, refusal_problem, remembered
from synth_operator.manifests.inputs import input_map
from synth_operator.manifests.jobs import inputs_hash, small_job

if TYPE_CHECKING:
    from synth_api.jobs.messages import Message
    from synth_api.resources.conditions import Problem
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import View
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.manifests.names import Task
    from synth_operator.validation import Checked

_MESSAGES = {JobKind.PLAN: PlanMessage, JobKind.FINALIZE: FinalizeMessage, JobKind.DELETE: DeleteMessage}


@dataclass(frozen=True)
class Done:
    """It has succeeded."""

    message: Message


@dataclass(frozen=True)
class Never:
    """It can never succeed."""

    problem: Problem


@dataclass(frozen=True)
class Underway:
    """It is not over: what to do about it, and what it waits for, if anything."""

    actions: tuple[Action, ...] = ()
    problem: Problem | None = None
    after: float | None = None


Step = Done | Never | Underway


def small_step(view: View, status: SweepStatus, task: Task, output: Output, checked: Checked | None) -> Step:
    """How a task stands. `checked` makes its input; a delete Job brings its own."""
    jobs = view.jobs_of(task)
    job = next((job for job in jobs if not job.deleting), None)
    if job is None:
        gone = Underway(problem=remembered(view, status, started=False))
        return gone if jobs else _create(view, status, task, output, checked)
    if job.finish is None:
        return _unfinished(view, status, job, task, output, checked)
    pods = sorted(view.pods_of(job), key=lambda pod: pod.ended or pod.created)
    return _finished(view, status, job, pods[-1] if pods else None)


def refused(view: View, status: SweepStatus, *names: str) -> Underway | None:
    """What the API refused to make, and when to try again; None when there is nothing, or it is time."""
    for refusal in view.observed.refusals:
        problem = refusal_problem(view, refusal)
        again = due(status, problem.reason, refusal.at)
        if refusal.name in names and view.now < again:
            return Underway(problem=problem, after=seconds_until(again, view.now))
    return None


def missing_input(view: View, task: Task, checked: Checked | None) -> tuple[Action, ...]:
    """Makes the input of an attempt where it is not there."""
    if checked is None or input_name(view.sweep.name, task.attempt) in view.observed.inputs:
        return ()
    return (CreateInput(input_map(view.sweep, checked, task.attempt)),)


def stuck_otherwise(view: View, job: JobObject, body: dict[str, Any]) -> bool:
    """Whether nothing of a Job ever ran and the operator, configured anew, would make another one."""
    started = any(pod.phase != "Pending" for pod in view.pods_of(job)) or len(job.completed) > 0
    return not started and job.hash != body["metadata"]["annotations"][HASH_ANNOTATION]


def _create(view: View, status: SweepStatus, task: Task, output: Output, checked: Checked | None) -> Underway:
    name = job_name(view.sweep.name, inputs_hash(view.sweep, task), task.kind)
    held = refused(view, status, name, input_name(view.sweep.name, task.attempt))
    if held:
        return held
    job = small_job(view.sweep, task, output, view.rules)
    return Underway((*missing_input(view, task, checked), CreateJob(job)), remembered(view, status, started=False))


def _unfinished(
    view: View, status: SweepStatus, job: JobObject, task: Task, output: Output, checked: Checked | None
) -> Underway:
    problem = obstacle(view, status, job)
    if problem and stuck_otherwise(view, job, small_job(view.sweep, task, output, view.rules)):
        return Underway((DeleteJob(job.name, job.uid),), problem)
    return Underway(missing_input(view, task, checked), problem)


def _finished(view: View, status: SweepStatus, job: JobObject, pod: PodObject | None) -> Step:
    finish = job.finish
    assert finish is not None
    message = pod.message if pod else None
    if finish.succeeded and isinstance(message, _MESSAGES[job.kind]) and not problem_of(message):
        return Done(message)
    if message is None and view.now < finish.at + PATIENCE:
        return Underway(after=seconds_until(finish.at + PATIENCE, view.now))
    remove = DeleteJob(job.name, job.uid)
    if finish.succeeded:
        return Underway((remove,))
    problem = failure(pod)
    if pod and pod.exit_code == ExitCode.NEVER:
        return Never(problem)
    again = due(status, problem.reason, finish.at)
    if view.now >= again:
        return Underway((remove,), problem)
    return Underway(problem=problem, after=seconds_until(again, view.now))
