"""A sweep that has ended, and what wakes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.finish import complete_text
from synth_operator.decide.outcome import Conclusion, ready_message, ready_reason

if TYPE_CHECKING:
    from synth_operator.decide.context import View
    from synth_operator.validation import Checked


def at_rest(view: View, checked: Checked | Problem) -> bool:
    """Whether it has ended and nobody has asked for more since: only an edit of its spec does."""
    before = view.before
    if before.completion_time is None:
        return False
    if view.sweep.generation == before.observed_generation:
        return True
    if isinstance(checked, Problem) or before.attempt is None:
        return False
    same = checked.plan == before.plan and view.spec.retry_token == before.attempt.retry_token
    return same and (before.phase is Phase.COMPLETE or view.spec.suspend)


def resting(view: View, checked: Checked | Problem) -> Conclusion:
    """As it ended; a complete sweep says so when its recipe is another one by now."""
    before = view.before
    if before.phase is not Phase.COMPLETE:
        return Conclusion(before, ready_reason(before) or Reason.WORKER_FAILED, ready_message(before))
    if isinstance(checked, Problem) or checked.plan == before.plan:
        return Conclusion(before, Reason.COMPLETE, complete_text(before))
    what = "recipe has" if checked.recipe_digest != before.recipe_digest else "way of rendering has"
    text = f"{complete_text(before)} The {what} changed since; set another spec.retryToken to render it."
    return Conclusion(before, Reason.RECIPE_DRIFTED, text)
