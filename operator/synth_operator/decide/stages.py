"""The stages of an attempt: planning, rendering shard by shard, finalizing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.jobs.attempt_input import attempt_hash
from synth_api.jobs.messages import FinalizeMessage, JobKind, PlanMessage
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import AttemptStatus, Phase, RunCounts, SweepStatus
from synth_api.version import ENGINE_VERSION
from synth_operator.decide.backoff import seconds_until
from synth_operator.decide.context import batches_of
from synth_operator.decide.finish import completed, failed
from synth_operator.decide.limits import deadline, overdue, runs
from synth_operator.decide.outcome import Conclusion, changed, concluded, suspended, waiting
from synth_operator.decide.rendering import render_stage
from synth_operator.decide.single_pod_job import Done, Never, Underway, small_step
from synth_operator.manifests.names import Task

if TYPE_CHECKING:
    from synth_operator.decide.context import View
    from synth_operator.validation import Checked

_MOST_STALE: Final = 2
"""Further attempts when runs are missing at the end."""


def begun(view: View, checked: Checked, *, stale: int = 0) -> SweepStatus:
    """A new attempt; what a former one committed stays where it is."""
    before = view.before
    count = before.attempt.count + 1 if before.attempt else 0
    token = view.spec.retry_token
    digest = attempt_hash(view.sweep.uid, checked.plan, token, count)
    return SweepStatus(
        conditions=before.conditions,
        phase=Phase.PLANNING,
        start_time=before.start_time if stale else view.now,
        plan=checked.plan,
        recipe_digest=checked.recipe_digest,
        engine_version=ENGINE_VERSION,
        runs=RunCounts(total=checked.runs),
        attempt=AttemptStatus(hash=digest, count=count, stale=stale, retry_token=token),
        dataset=before.dataset,
    )


def carry_on(view: View, status: SweepStatus, checked: Checked) -> Conclusion:
    """The next thing to do for an attempt."""
    attempt = status.attempt
    assert attempt is not None
    rendered = attempt.todo is not None and attempt.settled.shards >= batches_of(attempt).shards
    verdict = attempt.verdict or (None if rendered else overdue(view, status))
    if verdict and attempt.todo is None:
        return failed(view, status, verdict)
    attempt = attempt.model_copy(update={"verdict": verdict})
    status = changed(status, attempt=attempt)
    if attempt.todo is None:
        conclusion = _plan(view, status, attempt, checked)
    elif rendered or verdict:
        conclusion = _finalize(view, status, attempt, checked)
    else:
        conclusion = _render(view, status, attempt, checked)
    end = deadline(view, status)
    return conclusion.within(seconds_until(end, view.now)) if end and verdict is None else conclusion


def _plan(view: View, status: SweepStatus, attempt: AttemptStatus, checked: Checked) -> Conclusion:
    match small_step(view, status, Task(JobKind.PLAN, attempt.hash), checked.output, checked):
        case Done(PlanMessage() as message):
            planned = attempt.model_copy(update={"todo": message.todo, "batch_size": message.batch_size})
            counts = RunCounts(total=message.total, cached=message.cached)
            return carry_on(view, changed(status, attempt=planned, runs=counts), checked)
        case Never(problem):
            return failed(view, status, problem)
        case Underway() as step:
            return _underway(view, status, step, Phase.PLANNING, Reason.PLANNING, "Checking the store for what exists.")
        case step:
            raise AssertionError(step)


def _render(view: View, status: SweepStatus, attempt: AttemptStatus, checked: Checked) -> Conclusion:
    outcome = render_stage(view, status, attempt, checked)
    return outcome if isinstance(outcome, Conclusion) else carry_on(view, outcome, checked)


def _finalize(view: View, status: SweepStatus, attempt: AttemptStatus, checked: Checked) -> Conclusion:
    if view.at_work():
        # Cleaning up deletes what still renders; its pods may take their grace period.
        text = "Waiting for the render pods to end."
        return concluded(status, Phase.FINALIZING, Reason.FINALIZING, text, after=5.0)
    match small_step(view, status, Task(JobKind.FINALIZE, attempt.hash), checked.output, checked):
        case Done(FinalizeMessage() as message):
            if message.missing and attempt.verdict is None and attempt.stale < _MOST_STALE:
                return _again(view, checked, attempt, message.missing)
            return completed(view, status, attempt, message)
        case Never(problem):
            return failed(view, status, attempt.verdict or problem)
        case Underway() as step if step.problem and (verdict := attempt.verdict or overdue(view, status)):
            text = f"{verdict.message} What exists could not be committed: {step.problem.message}"
            return failed(view, status, Problem(reason=verdict.reason, message=text))
        case Underway() as step:
            text = "All runs are rendered or recorded as failed; committing the dataset."
            if attempt.verdict:
                text = f"{attempt.verdict.message} Committing what exists."
            return _underway(view, status, step, Phase.FINALIZING, Reason.FINALIZING, text)
        case step:
            raise AssertionError(step)


def _again(view: View, checked: Checked, attempt: AttemptStatus, missing: int) -> Conclusion:
    text = f"{runs(missing)} of those counted as done are missing from the store; planning anew."
    status = begun(view, checked, stale=attempt.stale + 1)
    return concluded(status, Phase.PLANNING, Reason.PLAN_STALE, text, after=1.0)


def _underway(
    view: View, status: SweepStatus, step: Underway, phase: Phase, reason: Reason, message: str
) -> Conclusion:
    if view.spec.suspend:
        return suspended(status)
    if step.problem:
        return waiting(view, status, step.problem, step.actions, step.after)
    return concluded(status, phase, reason, message, step.actions, step.after)
