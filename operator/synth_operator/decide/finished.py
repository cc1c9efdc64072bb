"""A finished sweep: it starts again only after an edit of its spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.completion import format_completion
from synth_operator.decide.outcome import Outcome, find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from synth_operator.decide.context import Context
    from synth_operator.validation import ValidatedSweep


def is_finished(context: Context, validation: ValidatedSweep | Problem) -> bool:
    """Return True if the sweep has ended and its spec asks for nothing more since."""
    previous = context.previous_status
    if previous.completion_time is None:
        return False
    if context.sweep.generation == previous.observed_generation:
        return True
    if isinstance(validation, Problem) or previous.attempt is None:
        return False
    same_plan = validation.plan == previous.plan and context.spec.retry_token == previous.attempt.retry_token
    return same_plan and (previous.phase is Phase.COMPLETE or context.spec.suspend)


def build_finished_outcome(context: Context, validation: ValidatedSweep | Problem) -> Outcome:
    """Return the outcome with which the sweep ended, or RecipeDrifted if a complete sweep has another plan by now."""
    previous = context.previous_status
    if previous.phase is not Phase.COMPLETE:
        reason = find_ready_reason(previous) or Reason.WORKER_FAILED
        return Outcome(previous, reason, find_ready_message(previous))
    if isinstance(validation, Problem) or validation.plan == previous.plan:
        return Outcome(previous, Reason.COMPLETE, format_completion(previous))
    # The spec is as it was, so another plan comes from the recipe, the engine version or the default output.
    recipe_changed = validation.recipe_digest != previous.recipe_digest
    cause = "The recipe" if recipe_changed else "The engine version or the default output"
    remedy = "set another spec.retryToken to render again."
    return Outcome(
        previous, Reason.RECIPE_DRIFTED, f"{format_completion(previous)} {cause} has changed since; {remedy}"
    )
