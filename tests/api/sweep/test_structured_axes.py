"""Structured axes mean what Hydra's grammar means; zip and exclude mean what a loop over all runs would do."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_api.composition.source import read_recipe
from synth_api.errors import InputError
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_api.resources.synth_sweep import AxisSpec
from synth_api.sweep.definition import Sweep

NUMBER = "blueprints.particles.Bead.number"
SEED = "initial_runtime_state.seed"
STEPS = "synth_chain.feature_generation_steps"
GRAVITY = f"{STEPS}.5.gravity"
SCALE = "process_conditions.feature_variabilities.Defocus.variability.scale"
MATERIAL = "blueprints.particles.Bead.material_prototype_name"
RESOLUTION = "+blueprints.measurement_techniques.SEM.features.resolution_percentage"
SOURCE = read_recipe(Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml")

PAIRS: list[tuple[str, dict[str, Any]]] = [
    (f"{NUMBER}=100,200,300", {"path": NUMBER, "values": [100, 200, 300]}),
    (f"{SEED}=range(5)", {"path": SEED, "range": {"stop": 5}}),
    (f"{SEED}=range(9,0,-3)", {"path": SEED, "range": {"start": 9, "stop": 0, "step": -3}}),
    (f"{SCALE}=range(0,0.5,0.1)", {"path": SCALE, "range": {"stop": 0.5, "step": 0.1}}),
    (f"{MATERIAL}=plain,sem_polystyrene", {"path": MATERIAL, "values": ["plain", "sem_polystyrene"]}),
    (f"{GRAVITY}=[0,0,-1],[0,0,-9.5]", {"path": GRAVITY, "values": [[0, 0, -1], [0, 0, -9.5]]}),
    (f"{RESOLUTION}=10,20", {"path": RESOLUTION, "values": [10, 20]}),
    (f"++{RESOLUTION[1:]}=10,20", {"path": f"+{RESOLUTION}", "values": [10, 20]}),
    (f"{STEPS}.5.use_gravity=true,false", {"path": f"{STEPS}.5.use_gravity", "values": [True, False]}),
]


def of(*axes: dict[str, Any], exclude: list[dict[str, Any]] | None = None, overrides: tuple[str, ...] = ()) -> Sweep:
    return Sweep.from_source(SOURCE, overrides, [AxisSpec.model_validate(axis) for axis in axes], exclude or ())


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3, unique_by=lambda pair: pair[0].split("=")[0].strip("+"))
)
def test_both_forms_have_the_same_runs_and_the_same_plan(pairs: list[tuple[str, dict[str, Any]]]) -> None:
    hydra = Sweep.from_source(SOURCE, [text for text, _ in pairs])
    structured = of(*(axis for _, axis in pairs))
    assert list(structured.keys()) == list(hydra.keys())
    assert structured.plan() == hydra.plan()
    assert structured.overrides(structured.runs - 1) == hydra.overrides(hydra.runs - 1)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_zip_and_exclude_equal_a_loop_over_all_runs(data: st.DataObject) -> None:
    numbers, seeds, gravities = [10, 20, 20, 30], [1, 2, 3, 4], [-1, -2.5]
    loop = [
        {NUMBER: number, SEED: seed, f"{GRAVITY}.2": gravity}
        for (number, seed), gravity in product(zip(numbers, seeds, strict=True), gravities)
    ]
    run = data.draw(st.sampled_from(loop))
    paths = data.draw(st.lists(st.sampled_from(list(run)), min_size=1, unique=True))
    others = data.draw(st.lists(st.sampled_from([{NUMBER: 20}, {SEED: 4}, {f"{GRAVITY}.2": -1, SEED: 2}]), max_size=2))
    exclude = [{path: run[path] for path in paths}, *others]
    included = [all(any(run[path] != box[path] for path in box) for box in exclude) for run in loop]
    zipped = {"zip": [{"path": NUMBER, "values": numbers}, {"path": SEED, "range": {"start": 1, "stop": 5}}]}
    axes = [zipped, {"path": f"{GRAVITY}.2", "values": gravities}]
    if not any(included):
        with pytest.raises(InputError, match="exclude: leaves no run"):
            of(*axes, exclude=exclude)
        return
    sweep = of(*axes, exclude=exclude)
    assert (sweep.runs, sweep.count) == (len(loop), sum(included))
    assert [sweep.overrides(number) for number in range(sweep.runs)] == loop
    assert [sweep.is_included(number) for number in range(sweep.runs)] == included
    assert sweep.find_first_run() == included.index(True)
    keys = [bytes.fromhex(sweep.key(number)) if there else EXCLUDED_KEY for number, there in enumerate(included)]
    assert list(sweep.keys()) == keys
    assert list(sweep.keys(3, 6)) == keys[3:6]


def test_values_of_an_exclusion_compare_as_numbers_and_in_decimal() -> None:
    axes = [{"path": SCALE, "range": {"stop": 0.8, "step": 0.1}}, {"path": SEED, "range": {"stop": 3}}]
    sweep = of(*axes, exclude=[{SCALE: 0.3, SEED: 1.0}, {SCALE: 0.7}])
    assert [run for run in range(sweep.runs) if not sweep.is_included(run)] == [10, 21, 22, 23]


def test_an_excluded_place_is_not_checked() -> None:
    maximum = {"path": f"{STEPS}.5.num_frames", "values": [150, -1]}
    with pytest.raises(InputError, match="num_frames"):
        of(maximum, {"path": SEED, "values": [1, 2]})
    assert of(maximum, {"path": SEED, "values": [1, 2]}, exclude=[{f"{STEPS}.5.num_frames": -1}]).count == 2


def test_fixed_overrides_combine_with_structured_axes() -> None:
    sweep = of({"path": SEED, "range": {"stop": 2}}, overrides=(f"{NUMBER}=7",))
    assert sweep.build_recipe(1).blueprints.particles["Bead"].number == 7
    assert sweep.runs == 2


def test_the_plan_depends_on_zips_and_exclusions() -> None:
    one, two = {"path": NUMBER, "values": [1, 2]}, {"path": SEED, "values": [1, 2]}
    plans = [
        of(one, two).plan(),
        of({"zip": [one, two]}).plan(),
        of(one, two, exclude=[{SEED: 1}]).plan(),
        of(one, two, exclude=[{SEED: 1, NUMBER: 1}]).plan(),
        of(one, two).plan(batch_size=3),
    ]
    assert len(set(plans)) == len(plans)
    assert of(one, two, exclude=[{SEED: 1}, {NUMBER: 1, SEED: 2}]).plan() == (
        of(one, two, exclude=[{SEED: 2, NUMBER: 1.0}, {SEED: 1}]).plan()
    )


SEEDS = {"path": SEED, "range": {"stop": 4}}


@pytest.mark.parametrize(
    ("axes", "exclude", "says"),
    [
        ([{"path": "a=1,2", "values": [1]}], [], "axes[0].path: 'a=1,2' is not valid: an axis needs the dotted path"),
        ([SEEDS, {"path": "hydra.x", "values": [1]}], [], "axes[1].path: 'hydra.x' is not valid: an axis needs"),
        ([{"path": "~a", "values": [1]}], [], "axes[0].path: '~a' is not valid: an axis cannot delete a key"),
        ([{"values": [1]}], [], "axes[0]: an axis needs a path, or zip"),
        ([{"path": SEED}], [], f"axes[0]: the axis of '{SEED}' needs either values or range; write one of them"),
        ([{"path": SEED, "values": [1], "range": {"stop": 1}}], [], "needs either values or range"),
        ([{"path": SEED, "range": {"stop": 0}}], [], f"{SEED}: range(0, 0, 1) has no values"),
        ([{"path": SEED, "values": [2**53]}], [], "axes[0].values: [0]: must lie within ±(2^53 - 1)"),
        ([{"path": SEED, "values": ["${oc.env:HOME}"]}], [], "'${oc.env:HOME}' is not allowed here: a cluster"),
        ([{"path": SEED, "values": ["x" * 5000]}], [], "a text has 5,000 characters, an axis at most 4,096"),
        ([SEEDS, {"path": SEED, "values": [1]}], [], f"{SEED}: there are two axes for this key; keep one"),
        ([{"path": SEED, "values": [1, -1]}], [], "initial_runtime_state.seed: must be at least 0, not -1"),
        ([{"path": "nmber", "values": [1]}], [], "nmber: there is no key 'nmber'"),
        (
            [{"zip": [SEEDS, {"path": NUMBER, "values": [1, 2]}]}],
            [],
            f"axes[0].zip: zipped axes need equally many values: '{SEED}' has 4, '{NUMBER}' has 2",
        ),
        ([{"path": SEED, "zip": [SEEDS, SEEDS]}], [], "axes[0]: has zip and, beside it, path, values or range"),
        ([{"path": SEED, "range": {"stop": 2_000_000}}], [], "2,000,000 values"),
        ([SEEDS], [{}], "exclude[0]: is empty and would leave out every run"),
        ([SEEDS], [{SEED: 1}, {"initial_runtime_state.sed": 1}], "exclude[1]: there is no axis 'initial_runtime_stat"),
        ([SEEDS], [{SEED: 4}], f"exclude[0]: the axis '{SEED}' has no value 4"),
        ([SEEDS], [{SEED: "1"}], f"exclude[0]: the axis '{SEED}' has no value '1'"),
        ([SEEDS], [{SEED: True}], "has no value true"),
        (
            [{"zip": [SEEDS, {"path": NUMBER, "range": {"stop": 4}}]}],
            [{SEED: 1, NUMBER: 2}],
            f"exclude[0]: no run has this value of '{NUMBER}' together with the others; they are zipped",
        ),
        ([SEEDS], [{SEED: n} for n in range(4)], "exclude: leaves no run; take something out of it"),
    ],
)
def test_invalid_structured_axes_are_refused(axes: list[Any], exclude: list[Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        of(*axes, exclude=exclude)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_axes_in_both_forms_are_refused() -> None:
    with pytest.raises(InputError, match=rf"axes: there are axes here and in overrides \('{NUMBER}'\)"):
        of(SEEDS, overrides=(f"{NUMBER}=1,2",))
