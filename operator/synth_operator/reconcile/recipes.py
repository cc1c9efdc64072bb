"""Status of recipes: each recipe is validated when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_recipe import RecipeStatus
from synth_operator.decide.conditions import ConditionState, renew_conditions

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.conditions import Problem
    from synth_operator.kube.recipe_object import RecipeObject


def build_recipe_status(recipe: RecipeObject, problem: Problem | None, now: datetime) -> RecipeStatus:
    """Return the status of a recipe whose check found this problem or none."""
    reason, message = (problem.reason, problem.message) if problem else (Reason.ACCEPTED, "The recipe is valid.")
    states = (
        ConditionState(ConditionType.READY, problem is None, reason, message),
        ConditionState(ConditionType.STALLED, problem is not None, reason, message),
    )
    return RecipeStatus(
        observed_generation=recipe.generation,
        digest="" if problem else recipe.spec.digest,
        conditions=renew_conditions(recipe.status.conditions, states, recipe.generation, now),
    )
