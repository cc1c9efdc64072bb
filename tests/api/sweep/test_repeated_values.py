"""No two runs of a sweep are one picture: values that an axis has twice, and axes that change nothing, are refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_api.composition.source import read_recipe
from synth_api.errors import InputError
from synth_api.resources.synth_sweep import AxisSpec
from synth_api.sweep.axes import Axis
from synth_api.sweep.axis_values import build_range
from synth_api.sweep.definition import Sweep
from synth_api.sweep.repeated_values import check_repeated_values

NUMBER = "blueprints.particles.Bead.number"
SEED = "initial_runtime_state.seed"
SCALE = "process_conditions.feature_variabilities.Defocus.variability.scale"
STEPS = "synth_chain.feature_generation_steps"
MODE = "synth_chain.rendering_steps.1.rendering_mode"
SOURCE = read_recipe(Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml")


def of(*axes: dict[str, Any], exclude: tuple[dict[str, Any], ...] = ()) -> Sweep:
    return Sweep.from_source(SOURCE, (), [AxisSpec.model_validate(axis) for axis in axes], exclude)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        (f"{SEED}=1,1,2", f"{SEED}: the 1st and the 2nd value of the axis are the same, 1; take one of them out"),
        (f"{SEED}=1,2,1.0", f"{SEED}: the 1st and the 3rd value of the axis are the same, 1 and 1.0; take one of"),
        (f"{SEED}=1000,5,1e3", "the 1st and the 3rd value of the axis are the same, 1000 and 1000.0"),
        (f"{SCALE}=0.0,0.1,-0.0", "the 1st and the 3rd value of the axis are the same, 0.0 and -0.0"),
        (f"{MODE}=real,stl,real", "the 1st and the 3rd value of the axis are the same, 'real'"),
        (f"{MODE}=real,stl,REAL", "the 1st and the 3rd value of the axis make the same run, 'real' and 'REAL'; take"),
        (f"{STEPS}.5.gravity=[0,0,-1],[0,0,-1.0]", "the 1st and the 2nd value of the axis are the same, a list"),
        (f"{SEED}={','.join(map(str, range(112)))},111", "the 112th and the 113th value of the axis are the same, 111"),
        (f"{SCALE}=range(0.1,0.100000000000001,1e-17)", "the 1st and the 2nd value of the axis are the same, 0.1"),
    ],
)
def test_a_repeated_value_is_refused_with_its_positions(argument: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Sweep.from_source(SOURCE, [argument])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("initial_runtime_state.time", "1,2"),
        ("initial_runtime_state.time", "range(9)"),
        ("blueprints.particles.Bead.parent", "MeasurementVolume,Other"),
        (f"+{STEPS}.5.id", "relax,settle"),
        ("synth_chain.blender_log_file_name", "a.log,b.log"),
    ],
)
def test_an_axis_that_changes_nothing_is_refused(path: str, values: str) -> None:
    with pytest.raises(InputError, match="no picture or label depends on it, so every value is the same run; take it"):
        Sweep.from_source(SOURCE, [f"{path}={values}"])


GRAVITY = f"{STEPS}.5.gravity"
USE_GRAVITY = f"{STEPS}.5.use_gravity"
BEAD_WEIGHT = "blueprints.particles.Bead.weight"
OUTPUT_ROOT = "blueprints.measurement_techniques.SEM.features.output_root"
UNUSED = "process_conditions.feature_variabilities.Unused"
CONSTANT = "{feature_name: subdivisions, variability: {_target_: $builtins.Constant, value: %s}}"


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        ([f"++{BEAD_WEIGHT}=1,2"], BEAD_WEIGHT, "no step chooses one of several blueprints"),
        ([f"++{BEAD_WEIGHT}=null,2"], BEAD_WEIGHT, "no step chooses one of several blueprints"),
        ([f"++{BEAD_WEIGHT}=range(1,9)"], BEAD_WEIGHT, "no step chooses one of several blueprints"),
        ([f"++{OUTPUT_ROOT}=a,b", f"{SEED}=1,2"], OUTPUT_ROOT, "a run's files lie in the run's own folder"),
        (
            ["++blueprints.measurement_techniques.SEM.features={output_root:a},{output_root:b}"],
            "SEM.features",
            "a run's",
        ),
        ([f"++{STEPS}.5.mass=1,2"], f"{STEPS}.5.mass", "all bodies of a step weigh the same, so their mass cancels"),
        ([f"{USE_GRAVITY}=false", f"{GRAVITY}=[0,0,-1],[0,0,-2]"], GRAVITY, "use_gravity is false"),
        ([f"{USE_GRAVITY}=false", f"{GRAVITY}.2=-1,-2"], f"{GRAVITY}.2", "use_gravity is false"),
        ([f"++{UNUSED}={CONSTANT % 1},{CONSTANT % 2}"], UNUSED, "no step draws from it"),
    ],
)
def test_an_axis_that_changes_run_keys_alone_is_refused(arguments: list[str], path: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        Sweep.from_source(SOURCE, arguments)
    assert str(caught.value).partition(": ")[0].endswith(path)
    assert f": no picture or label depends on it: {reason}" in str(caught.value)
    assert str(caught.value).endswith("; take it out")


@pytest.mark.parametrize(
    "arguments",
    [
        [f"++{BEAD_WEIGHT}=choice(2)"],
        [f"++{BEAD_WEIGHT}=1,2", f"++{STEPS}.1.choose=all,one"],
        [f"{USE_GRAVITY}=false,true", f"{GRAVITY}.2=-1,-2"],
        [f"++{STEPS}.5.mass=1,2", f"++{STEPS}.5.friction=${{.mass}}"],
        [f"++{STEPS}.5.mass=1,2", f"++{STEPS}.5.friction=3,${{.mass}}"],
        ["blueprints.particles.Bead={number:5,weight:1},{number:6,weight:2}"],
    ],
)
def test_an_axis_that_some_run_depends_on_is_legal(arguments: list[str]) -> None:
    assert Sweep.from_source(SOURCE, arguments).runs


def test_a_zip_is_refused_if_none_of_its_axes_has_an_effect() -> None:
    def zipped(*paths: str) -> Sweep:
        axes = [{"path": path, "values": [-1, -2] if path != SEED else [1, 2]} for path in paths]
        return Sweep.from_source(SOURCE, [f"{USE_GRAVITY}=false"], [AxisSpec.model_validate({"zip": axes})])

    says = r"gravity\.2: no picture or label depends on the zipped axes: use_gravity is false; take them out"
    with pytest.raises(InputError, match=says):
        zipped(f"{GRAVITY}.2", f"{GRAVITY}.0")
    assert zipped(f"{GRAVITY}.2", SEED).runs == 2


def test_a_feature_that_a_criterion_compares_has_an_effect() -> None:
    subdivisions = "++blueprints.particles.Bead.features.subdivisions_vp=3,4"
    with pytest.raises(InputError, match="no picture or label depends on it"):
        Sweep.from_source(SOURCE, [subdivisions])
    comparison = "feature_name: subdivisions_vp, comparand: 3, default_return_value: true"
    criterion = f"++process_conditions.feature_criteria.IsFine={{_target_: $builtins.IsEqualTo, {comparison}}}"
    assert Sweep.from_source(SOURCE, [criterion, subdivisions]).runs == 2


def test_a_single_value_without_effect_is_no_repeat() -> None:
    assert Sweep.from_source(SOURCE, ["initial_runtime_state.time=choice(7)", f"{SEED}=1,2"]).runs == 2


def test_values_that_only_look_alike_differ() -> None:
    variability = "process_conditions.feature_variabilities.BackgroundPatchSeed.variability"
    assert Sweep.from_source(SOURCE, [f"{variability}.value=42,${{{SEED}}}", f"{SEED}=1,2"]).runs == 4
    custom = {"path": "blueprints.particles.Bead.custom_features"}
    values = [[{"name": "batch", "_value": value}] for value in (1, "1", True, "true", None, 1.5)]
    assert of({**custom, "values": values}).runs == 6


def test_structured_axes_and_zips_are_refused_alike() -> None:
    with pytest.raises(InputError, match=r"number: the 1st and the 2nd value of the axis are the same, 5 and 5\.0"):
        of({"path": NUMBER, "values": [5, 5.0]})
    numbers, seeds = {"path": NUMBER, "values": [5, 6, 5]}, {"path": SEED, "values": [1, 1, 1]}
    says = rf"1st and the 3rd value of the zipped axes are the same, {NUMBER}=5, {SEED}=1; take one of them out"
    with pytest.raises(InputError, match=says):
        of({"zip": [numbers, seeds]})
    assert of({"zip": [numbers, {"path": SEED, "values": [1, 1, 2]}]}).runs == 3
    assert of({"zip": [numbers, {"path": SEED, "range": {"stop": 3}}]}).runs == 3


def test_an_excluded_run_is_no_repeat() -> None:
    modes = {"path": MODE, "values": ["real", "REAL"]}
    assert of(modes, exclude=({MODE: "REAL"},)).count == 1


@given(st.integers(-1000, 1000), st.integers(1, 300), st.integers(-20, 3), st.integers(1, 20))
def test_a_range_is_refused_exactly_if_its_floats_coincide(start: int, length: int, exponent: int, digits: int) -> None:
    step = float(f"{digits}e{exponent}")
    values = build_range("a", float(start), start + length * step + step / 2, step) if start + step > start else ()
    repeats = len(set(values)) < len(values)
    try:
        check_repeated_values([Axis("", "a", values)])
    except InputError:
        assert repeats
    else:
        assert not repeats
