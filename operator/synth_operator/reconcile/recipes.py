"""Recipes are checked when they change and told so in their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_recipe import RecipeStatus
from synth_operator.validation import check_recipe, recipe_digest

if TYPE_CHECKING:
    from datetime import datetime

    from synth_operator.kube.recipe_object import RecipeObject


def recipe_status(recipe: RecipeObject, now: datetime) -> RecipeStatus:
    """What is to be in its status; the same as now when it was checked already."""
    if recipe.status.observed_generation == recipe.generation:
        return recipe.status
    problem = check_recipe(recipe)
    before = {condition.type: condition for condition in recipe.status.conditions}

    def condition(kind: ConditionType, holds: bool, reason: Reason, message: str) -> Condition:
        status, former = "True" if holds else "False", before.get(kind)
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
        digest="" if problem else recipe_digest(recipe.spec),
        conditions=(
            condition(ConditionType.READY, problem is None, reason, message),
            condition(ConditionType.STALLED, problem is not None, reason, message),
        ),
    )
