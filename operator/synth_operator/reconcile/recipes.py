"""Status of recipes: each recipe is validated when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_recipe import RecipeStatus

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.conditions import Problem
    from synth_operator.kube.recipe_object import RecipeObject


def build_recipe_status(recipe: RecipeObject, problem: Problem | None, now: datetime) -> RecipeStatus:
    """Return the status of a recipe whose check found this problem or none."""
    previous = {condition.type: condition for condition in recipe.status.conditions}

    def build_condition(kind: ConditionType, is_true: bool, reason: Reason, message: str) -> Condition:
        status, former = "True" if is_true else "False", previous.get(kind)
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            observed_generation=recipe.generation,
            last_transition_time=former.last_transition_time if former and former.status == status else now,
        )

    reason, message = (problem.reason, problem.message) if problem else (Reason.ACCEPTED, "The recipe is valid.")
    return RecipeStatus(
        observed_generation=recipe.generation,
        digest="" if problem else recipe.spec.digest,
        conditions=(
            build_condition(ConditionType.READY, problem is None, reason, message),
            build_condition(ConditionType.STALLED, problem is not None, reason, message),
        ),
    )
