from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output
from synth_api.resources.synth_dataset import DatasetDefinition
from synth_api.resources.synth_sweep import SweepSpec
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.validation import (
    SourceSweep,
    ValidatedSweep,
    validate_recipe,
    validate_selection,
    validate_sweep,
)

OUTPUT = Output(endpoint="store:9000", bucket="bucket")
RECIPE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "recipes/spheres_sem.yaml").read_text())
SEED = "initial_runtime_state.seed"


def recipe(tree: dict[str, Any]) -> RecipeObject:
    metadata = {"namespace": "lab", "name": "spheres", "uid": "1", "resourceVersion": "1"}
    return RecipeObject.from_json({"metadata": metadata, "spec": {"recipe": tree}})


def spec(**more: Any) -> SweepSpec:
    return SweepSpec.model_validate({"recipeRef": {"name": "spheres"}, **more})


def validate(
    tree: dict[str, Any] | None = None, default: Output | None = OUTPUT, **more: Any
) -> ValidatedSweep | Problem:
    return validate_sweep("sweep", spec(**more), recipe(RECIPE if tree is None else tree), default)


def test_a_valid_sweep_has_a_plan_and_a_number_of_runs() -> None:
    result = validate(overrides=[f"{SEED}=range(15)"])

    assert isinstance(result, ValidatedSweep)
    assert result.runs == 15
    assert result.output == OUTPUT


def test_the_plan_does_not_depend_on_the_order_of_keys() -> None:
    turned = dict(reversed(RECIPE.items()))

    one, other = validate(), validate(turned)

    assert isinstance(one, ValidatedSweep)
    assert isinstance(other, ValidatedSweep)
    assert (one.plan, one.recipe_digest) == (other.plan, other.recipe_digest)


def test_the_plan_depends_on_axes_output_and_batch_size() -> None:
    plans = [
        validate(),
        validate(overrides=[f"{SEED}=1,2"]),
        validate(batchSize=3),
        validate(default=Output(endpoint="store:9000", bucket="other")),
        validate(dataset={"title": "Spheres"}),
        validate({**RECIPE, "dataset": {"title": "Spheres of the recipe"}}),
    ]

    assert len({plan.plan for plan in plans if isinstance(plan, ValidatedSweep)}) == len(plans)


@pytest.mark.parametrize(
    ("problem", "reason", "words"),
    [
        (validate_sweep("s", spec(), None, OUTPUT), Reason.RECIPE_NOT_FOUND, "There is no SynthRecipe 'spheres'"),
        (validate_sweep("s", spec(), recipe(RECIPE), None), Reason.OUTPUT_MISSING, "spec.output is missing"),
        (validate_sweep("s", SweepSpec(), None, OUTPUT), Reason.SWEEP_INVALID, "spec.recipeRef and spec.recipe"),
        (validate({**RECIPE, "blueprnts": {}}), Reason.RECIPE_INVALID, "did you mean 'blueprints'?"),
        (validate(overrides=["initial_runtime_state.sed=1"]), Reason.SWEEP_INVALID, "did you mean 'seed'?"),
        (validate(overrides=[f"{SEED}=1,x"]), Reason.SWEEP_INVALID, SEED),
        (validate({**RECIPE, "dataset": {"licence": "CC-BY"}}), Reason.RECIPE_INVALID, "did you mean 'CC-BY-4.0'?"),
    ],
)
def test_a_problem_has_a_reason_and_a_message(problem: ValidatedSweep | Problem, reason: Reason, words: str) -> None:
    assert isinstance(problem, Problem)
    assert problem.reason is reason
    assert words in problem.message
    assert problem.message[-1] in ".?!"


def test_a_recipe_is_validated_without_a_sweep() -> None:
    assert validate_recipe(recipe(RECIPE)) is None
    problem = validate_recipe(recipe({"defaults": ["BaseRecipe"], "synth_chain": 7}))
    assert problem
    assert problem.reason is Reason.RECIPE_INVALID
    assert problem.message.startswith("The recipe 'spheres' is invalid: ")


def test_an_output_of_an_earlier_release_is_a_problem_of_the_sweep() -> None:
    metadata = {"namespace": "lab", "name": "s", "uid": "1", "resourceVersion": "1"}
    output = {"endpoint": "minio:99999", "bucket": "data"}
    sweep = SweepObject.from_json({"metadata": metadata, "spec": {"recipe": {}, "output": output}})

    assert sweep.problem.startswith(
        "output.endpoint: must be the host of a store without a scheme, with a port from 1 to"
    )
    assert sweep.problem.endswith("not 'minio:99999'")


# Selections of datasets

NUMBER = "blueprints.particles.Bead.number"


def select(**definition: Any) -> Problem | None:
    """Check the selection of a dataset of a sweep over seed and number, and of one over the seed alone."""
    whole = {
        "version": "1",
        "sources": [{"sweepRef": {"name": "one"}}, {"sweepRef": {"name": "two"}}],
        "exports": [{"format": "coco"}],
        **definition,
    }
    both = spec(axes=[{"path": SEED, "values": [1, 2]}, {"path": NUMBER, "values": [3, 4]}])
    sweeps = (
        SourceSweep("one", both, recipe(RECIPE)),
        SourceSweep("two", spec(overrides=[f"{SEED}=1,2"]), recipe(RECIPE)),
    )
    return validate_selection(DatasetDefinition.model_validate(whole), sweeps)


def where(*filters: str) -> list[dict[str, Any]]:
    return [{"sweepRef": {"name": name}, "where": text} for name, text in zip(("one", "two"), filters, strict=True)]


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"sources": where("number <= 3", "visible > 3 and not number = 4")},
        {"sources": where(f"{NUMBER} = 3 or Bead.number = 4", "split = train")},
        {"group": "number", "splitBy": ["number=4:test"]},
    ],
)
def test_a_selection_by_axes_of_any_sweep_and_columns_of_the_index_is_valid(definition: dict[str, Any]) -> None:
    assert select(**definition) is None


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (
            {"sources": where("", "nmber > 3")},
            "The dataset is invalid: spec.sources[1].where: there is no axis or column 'nmber'; did you mean 'number'?",
        ),
        (
            {"sources": where("number >", "")},
            "The dataset is invalid: spec.sources[0].where: ",
        ),
        ({"group": "visible"}, "The dataset is invalid: spec.group: there is no axis or column 'visible'"),
        ({"splitBy": ["colour=1:test"]}, "The dataset is invalid: spec.splitBy: there is no axis or column 'colour'"),
    ],
)
def test_a_name_that_no_sweep_has_is_one_sentence(definition: dict[str, Any], says: str) -> None:
    problem = select(**definition)
    assert problem is not None
    assert problem.reason is Reason.DATASET_INVALID
    assert problem.message.startswith(says)


def test_nothing_is_said_of_a_selection_from_an_invalid_sweep() -> None:
    definition = DatasetDefinition.model_validate(
        {"version": "1", "sources": where("nmber = 1", "")[:1], "exports": [{"format": "coco"}]}
    )
    for invalid in (spec(overrides=["a b"]), spec(overrides=["+nothing=[1"])):
        sweep = SourceSweep("one", invalid, recipe(RECIPE))
        assert validate_selection(definition, (sweep,)) is None
    assert validate_selection(definition, (SourceSweep("one", spec(), None),)) is None
