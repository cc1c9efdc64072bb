from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType, Problem
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.reconcile.recipes import build_recipe_status
from synth_operator.validation import validate_recipe

FIRST = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 5, 1, 13, 0, tzinfo=UTC)
GOOD: dict[str, Any] = yaml.safe_load(Path("recipes/spheres_sem.yaml").read_text(encoding="utf-8"))
PROBLEM = Problem(reason=Reason.RECIPE_INVALID, message="The recipe 'r' is invalid: initial_runtime_stat: unknown.")
BAD: dict[str, Any] = {**GOOD, "initial_runtime_stat": {"seed": 1}}


def recipe(tree: dict[str, Any], generation: int = 1, status: dict[str, Any] | None = None) -> RecipeObject:
    metadata = {"namespace": "lab", "name": "r", "uid": "u", "resourceVersion": "7", "generation": generation}
    return RecipeObject.from_json({"metadata": metadata, "spec": {"recipe": tree}, "status": status or {}})


def test_a_valid_recipe_is_ready_and_has_a_digest() -> None:
    status = build_recipe_status(recipe(GOOD), None, FIRST)

    conditions = {condition.type: condition for condition in status.conditions}
    assert conditions[ConditionType.READY].status == "True"
    assert conditions[ConditionType.STALLED].status == "False"
    assert len(status.digest) == 64
    assert status.observed_generation == 1


def test_an_invalid_recipe_is_stalled_with_its_problem() -> None:
    status = build_recipe_status(recipe(BAD), PROBLEM, FIRST)

    conditions = {condition.type: condition for condition in status.conditions}
    stalled = conditions[ConditionType.STALLED]
    assert (stalled.status, stalled.reason) == ("True", Reason.RECIPE_INVALID)
    assert stalled.message == PROBLEM.message
    assert conditions[ConditionType.READY].status == "False"
    assert status.digest == ""


def test_an_unchanged_condition_keeps_its_transition_time() -> None:
    status = build_recipe_status(recipe(GOOD), None, FIRST).model_dump(mode="json", by_alias=True)
    still_good = build_recipe_status(
        recipe({**GOOD, "initial_runtime_state": {**GOOD["initial_runtime_state"], "seed": 2}}, 2, status), None, LATER
    )
    now_bad = build_recipe_status(recipe(BAD, 2, status), PROBLEM, LATER)

    assert {condition.last_transition_time for condition in still_good.conditions} == {FIRST}
    assert {condition.last_transition_time for condition in now_bad.conditions} == {LATER}
    assert {condition.observed_generation for condition in now_bad.conditions} == {2}


def test_an_unreadable_spec_is_reported() -> None:
    body = {"metadata": recipe_metadata(), "spec": {"recipe": 5}}

    unreadable = RecipeObject.from_json(body)

    status = build_recipe_status(unreadable, validate_recipe(unreadable), FIRST)

    assert "must be a mapping, not 5" in status.conditions[0].message


def recipe_metadata() -> dict[str, Any]:
    return {"namespace": "lab", "name": "r", "uid": "u", "resourceVersion": "7", "generation": 1}
