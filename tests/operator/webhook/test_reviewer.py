"""What is refused at `kubectl apply`, with which sentence, and what passes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from synth_api.errors import InputError
from synth_api.resources.conditions import Problem
from synth_api.sweep.definition import Sweep
from synth_operator.checks.pool import CheckPool
from synth_operator.configuration import Configuration, Lease
from synth_operator.decide.admission import admit_sweep
from synth_operator.kube.api import Resource
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.validation import validate_sweep
from synth_operator.webhook.admission_review import AdmissionRequest, Verdict
from synth_operator.webhook.reviewer import Reviewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from synth_operator.kube.api import Api, JsonObject

    Judge = Callable[..., Verdict]

RECIPE_FILE = Path(__file__).parents[3] / "recipes/spheres_sem.yaml"
RECIPE: dict[str, Any] = yaml.safe_load(RECIPE_FILE.read_text())
OUTPUT = {"endpoint": "store:9000", "bucket": "data"}
SEED = "initial_runtime_state.seed"
WRONG_KEY = "blueprints.particles.Bead.numbr=3"
CONFIGURATION = Configuration(
    operator_image="registry.example/operator:1",
    renderer_image="registry.example/renderer:1",
    lease=Lease(namespace="synth"),
)


def build_recipe(tree: dict[str, Any]) -> JsonObject:
    metadata = {"namespace": "lab", "name": "spheres", "uid": "1", "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {"recipe": tree}}


def build_spec(**more: Any) -> dict[str, Any]:
    return {"recipeRef": {"name": "spheres"}, "output": OUTPUT, **more}


def build_request(
    spec: dict[str, Any], old: dict[str, Any] | None = None, kind: str = "SynthSweep", **metadata: Any
) -> AdmissionRequest:
    new = {"metadata": {"name": "s", **metadata}, "spec": spec}
    before = None if old is None else {"metadata": {"name": "s", **metadata}, "spec": old}
    document = {"uid": "1", "kind": {"kind": kind}, "namespace": "lab", "object": new, "oldObject": before}
    return AdmissionRequest.model_validate(document)


class Recipes:
    """API with at most one recipe."""

    def __init__(self, tree: dict[str, Any] | None) -> None:
        self.tree = tree

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        assert (resource, namespace) == (Resource.RECIPES, "lab")
        return None if self.tree is None or name != "spheres" else build_recipe(self.tree)


@pytest.fixture(scope="module")
def pool() -> Iterator[CheckPool]:
    pool = CheckPool()
    yield pool
    pool.close()


@pytest.fixture
def judge(pool: CheckPool) -> Judge:
    def review(request: AdmissionRequest, tree: dict[str, Any] | None = RECIPE) -> Verdict:
        return asyncio.run(Reviewer(cast("Api", Recipes(tree)), pool, CONFIGURATION).review(request))

    return review


DATASET = {"version": "1", "sources": [{"sweepRef": {"name": "s"}}], "exports": [{"format": "coco"}]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"split": {"train": 0.9}}, "The dataset is invalid: split: the shares sum to 0.9; make them sum to 1"),
        ({"card": {"licence": "CC"}}, "The dataset is invalid: card.licence: 'CC' is no SPDX licence identifier"),
        ({"output": {**OUTPUT, "endpoint": "127.0.0.1:9000"}}, "spec.output.endpoint: '127.0.0.1:9000' is an address"),
        (
            {"output": {**OUTPUT, "serviceAccountName": "admin"}},
            "spec.output.serviceAccountName: the operator does not",
        ),
    ],
)
def test_a_dataset_is_checked_without_its_sweeps(judge: Judge, changes: dict[str, Any], says: str) -> None:
    verdict = judge(build_request(DATASET | changes, kind="SynthDataset"))
    assert verdict.problem.startswith(says)
    assert bool(verdict.problem) == bool(says)


def read_validate_sentence(*overrides: str) -> str:
    """Return the sentence that `synth validate` prints."""
    with pytest.raises(InputError) as error:
        Sweep.load(RECIPE_FILE, overrides)
    return str(error.value)


@pytest.mark.parametrize("override", [WRONG_KEY, f"{SEED}=shuffle(1,2)", f"{SEED}=range(0)", "x", f"{SEED}=-1"])
def test_a_wrong_sweep_is_refused_with_the_sentence_of_synth_validate(judge: Judge, override: str) -> None:
    verdict = judge(build_request(build_spec(overrides=[override])))

    assert read_validate_sentence(override) in verdict.problem


@pytest.mark.parametrize(
    "spec",
    [
        build_spec(overrides=[WRONG_KEY]),
        build_spec(axes=[{"path": SEED, "values": [1], "range": {"stop": 3}}]),
        build_spec(image="elsewhere.example/renderer:1"),
        build_spec(output={**OUTPUT, "serviceAccountName": "admin"}),
        build_spec(podTemplate={"spec": {"hostNetwork": True}}),
        {"recipeRef": {"name": "spheres"}},
        {"output": OUTPUT},
        {"recipe": {"blueprints": 3}, "output": OUTPUT},
        build_spec(overrides=3),
    ],
    ids=str,
)
def test_the_reconciler_says_the_same(judge: Judge, spec: dict[str, Any]) -> None:
    metadata = {"namespace": "lab", "name": "s", "uid": "1", "resourceVersion": "1"}
    sweep = SweepObject.from_json({"metadata": metadata, "spec": spec})
    validation = validate_sweep("s", sweep.spec, RecipeObject.from_json(build_recipe(RECIPE)), None)
    problem = admit_sweep(sweep, validation, CONFIGURATION)

    assert isinstance(problem, Problem)
    assert judge(build_request(spec)) == Verdict(problem.message)


def test_a_wrong_recipe_is_refused_and_a_valid_one_passes(judge: Judge) -> None:
    wrong = {**RECIPE, "blueprint": {}}

    verdict = judge(build_request({"recipe": wrong}, kind="SynthRecipe"), None)

    sentence = "blueprint: a recipe has no section 'blueprint'; did you mean 'blueprints'?"
    assert verdict.problem == f"The recipe 's' is invalid: recipe: {sentence}"
    assert judge(build_request({"recipe": RECIPE}, kind="SynthRecipe"), None) == Verdict()


def test_a_valid_sweep_passes_without_a_word(judge: Judge) -> None:
    assert judge(build_request(build_spec(overrides=[f"{SEED}=range(15)"]))) == Verdict()


def test_a_sweep_may_come_before_its_recipe(judge: Judge) -> None:
    verdict = judge(build_request(build_spec(overrides=[WRONG_KEY])), None)

    assert verdict == Verdict(warnings=("There is no SynthRecipe 'spheres' in this namespace; apply one.",))


def test_a_sweep_before_its_recipe_is_checked_as_far_as_it_goes(judge: Judge) -> None:
    verdict = judge(build_request(build_spec(image="elsewhere.example/renderer:1")), None)

    assert verdict.problem.startswith("spec.image: the operator does not allow 'elsewhere.example/renderer:1'")


def test_the_mistake_of_its_recipe_is_not_the_sweeps(judge: Judge) -> None:
    verdict = judge(build_request(build_spec()), {**RECIPE, "blueprint": {}})

    assert verdict.problem == ""
    assert [sentence.partition(":")[0] for sentence in verdict.warnings] == ["The recipe 'spheres' is invalid"]


def test_what_synth_validate_warns_about_is_a_warning(judge: Judge) -> None:
    verdict = judge(build_request({"recipe": {**RECIPE, "hydra": {"job": {}}}, "output": OUTPUT}))

    assert verdict.problem == ""
    assert any("the section 'hydra' is ignored" in sentence for sentence in verdict.warnings)


def test_an_unchanged_spec_needs_no_check() -> None:
    spec = build_spec(overrides=[WRONG_KEY])

    assert not build_request(spec, spec).needs_check
    assert build_request(build_spec(), spec).needs_check
    assert build_request(spec).needs_check


def test_an_invalid_sweep_may_be_suspended(judge: Judge) -> None:
    old = build_spec(overrides=[WRONG_KEY])

    verdict = judge(build_request({**old, "suspend": True}, old))

    assert verdict.problem == ""
    assert verdict.warnings == (judge(build_request(old)).problem,)


def test_a_further_mistake_in_an_invalid_sweep_is_refused(judge: Judge) -> None:
    old = build_spec(overrides=[f"{SEED}=range(0)"])

    verdict = judge(build_request(build_spec(overrides=[WRONG_KEY]), old))

    assert read_validate_sentence(WRONG_KEY) in verdict.problem


def test_a_change_to_another_recipe_is_checked_with_that_recipe(judge: Judge) -> None:
    old = {**build_spec(overrides=[WRONG_KEY]), "recipeRef": {"name": "other"}}

    verdict = judge(build_request(build_spec(overrides=[WRONG_KEY]), old))

    assert read_validate_sentence(WRONG_KEY) in verdict.problem


@pytest.fixture
def strict_pool() -> Iterator[CheckPool]:
    pool = CheckPool(cpu_seconds=0.4)
    yield pool
    pool.close()


def test_expensive_sweeps_of_one_namespace_delay_none_elsewhere(strict_pool: CheckPool) -> None:
    """Each of them needs about 1 s of processor time, and has 0.4 s; the API server gives up those that wait."""
    values = ",".join(["1"] * 2000)
    expensive = build_spec(overrides=[f"+initial_runtime_state.x{number}={values}" for number in range(16)])

    async def review_all() -> tuple[Verdict, int, Verdict]:
        reviewer = Reviewer(cast("Api", Recipes(RECIPE)), strict_pool, CONFIGURATION)
        await reviewer.start_processes()
        hostile = [asyncio.create_task(reviewer.review(build_request(expensive))) for _ in range(6)]
        other = build_request({"recipe": RECIPE, "output": OUTPUT}).model_copy(update={"namespace": "other"})
        honest = await reviewer.review(other)
        ended = sum(task.done() for task in hostile)
        for task in hostile[1:]:
            task.cancel()
        return honest, ended, await hostile[0]

    honest, ended, hostile = asyncio.run(review_all())

    assert honest == Verdict()
    assert ended < 2
    assert hostile.problem == (
        "The sweep is too large to check: it takes more than 0.4 s of processor time; make it smaller."
    )
