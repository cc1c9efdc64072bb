"""Sweeps and recipes in the cache: small, the same when unpacked, and finished ones known without unpacking."""

import json
import random
from typing import Any

import pytest

from synth_api.depth import MAX_DEPTH
from synth_api.jobs.names import FINALIZER
from synth_operator.kube.packed_object import MAX_PACKED_BYTES, FinishedPlan, PackedObject, read_object
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

FORCE = "synth-operator.io/force-delete"
FINISHED: dict[str, Any] = {
    "observedGeneration": 3,
    "phase": "Complete",
    "completionTime": "2026-05-01T12:00:00Z",
    "engineVersion": 7,
    "recipeDigest": "d" * 64,
}


def build(spec: dict[str, Any], status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    whole = {
        "namespace": "lab",
        "name": "s",
        "uid": "u",
        "generation": 3,
        "resourceVersion": "12",
        "creationTimestamp": "2026-05-01T11:00:00Z",
        **metadata,
    }
    return {"metadata": whole, "spec": spec, "status": status or {}}


def nest(depth: int) -> Any:
    tree: Any = 1
    for _ in range(depth):
        tree = [tree]
    return tree


def test_an_unpacked_sweep_is_the_one_that_was_packed() -> None:
    body = build(
        {"recipeRef": {"name": "r"}, "overrides": ["a=1,2"]},
        FINISHED,
        finalizers=["f"],
        annotations={FORCE: "true"},
    )
    packed = PackedObject.pack(body)
    unpacked = packed.unpack()

    assert unpacked
    assert read_object(SweepObject, unpacked, packed.problem) == SweepObject.from_json(body)
    assert (packed.namespace, packed.name, packed.version, packed.recipe) == ("lab", "s", 12, "r")
    assert packed.status == SweepObject.from_json(body).status


def test_an_unpacked_recipe_is_the_one_that_was_packed() -> None:
    body = build({"recipe": {"defaults": ["BaseRecipe"]}})
    unpacked = PackedObject.pack(body).unpack()

    assert unpacked
    assert read_object(RecipeObject, unpacked, "") == RecipeObject.from_json(body)


def test_a_packed_sweep_is_small_whatever_foreign_annotations_and_managed_fields_it_has() -> None:
    usual = build({"recipeRef": {"name": "r"}, "overrides": [f"a.b.c.d={','.join(map(str, range(500)))}"]})
    blown = build(usual["spec"], annotations={"foreign": "x" * 200_000}, managedFields=[{"f": "y" * 1000}] * 100)

    packed = PackedObject.pack(blown)
    assert packed.spec
    assert len(packed.rest) + len(packed.spec) < 1500


def test_a_sweep_with_a_large_spec_is_kept_without_it() -> None:
    values = [random.Random(number).random() for number in range(5000)]
    body = build({"recipeRef": {"name": "r"}, "axes": [{"path": "a", "values": values}]}, FINISHED)
    packed = PackedObject.pack(body)

    assert packed.spec is None
    assert packed.unpack() is None
    assert packed.recipe == "r"
    assert len(packed.rest) < MAX_PACKED_BYTES < len(json.dumps(body))


@pytest.mark.parametrize("field", ["podTemplate", "recipe", "exclude"])
def test_a_spec_that_is_nested_too_deeply_is_a_problem_that_names_the_field(field: str) -> None:
    packed = PackedObject.pack(build({field: {"a": nest(9_000)}}))
    unpacked = packed.unpack()

    assert unpacked
    assert read_object(SweepObject, unpacked, packed.problem).problem.startswith(f"{field}.a")
    assert packed.problem.endswith(f"is nested more than {MAX_DEPTH} deep; flatten it")


def test_a_finished_sweep_has_the_plan_that_it_was_made_of() -> None:
    assert PackedObject.pack(build({}, FINISHED)).finished == FinishedPlan(7, "d" * 64)


@pytest.mark.parametrize(
    ("spec", "status", "metadata"),
    [
        ({}, {**FINISHED, "completionTime": None}, {}),
        ({}, FINISHED, {"generation": 4}),
        ({}, FINISHED, {"deletionTimestamp": "2026-05-01T13:00:00Z"}),
        ({"deletionPolicy": "Delete"}, FINISHED, {}),
        ({}, FINISHED, {"finalizers": [FINALIZER]}),
        ({}, {**FINISHED, "conditions": [{"type": "Ready", "reason": "RecipeDrifted"}]}, {}),
        ({}, {**FINISHED, "conditions": [{"type": "Reconciling", "reason": "InternalError"}]}, {}),
        ({"podTemplate": nest(100)}, FINISHED, {}),
    ],
)
def test_a_sweep_that_may_need_something_is_not_finished(
    spec: dict[str, Any], status: dict[str, Any], metadata: dict[str, Any]
) -> None:
    assert PackedObject.pack(build(spec, status, **metadata)).finished is None


@pytest.mark.parametrize("spec", [None, [], "text", {"recipeRef": "r"}])
def test_a_spec_of_another_form_is_kept_as_the_problem_that_it_is(spec: Any) -> None:
    packed = PackedObject.pack(build(spec, FINISHED))
    unpacked = packed.unpack()

    assert unpacked
    assert read_object(SweepObject, unpacked, packed.problem) == SweepObject.from_json(build(spec, FINISHED))
