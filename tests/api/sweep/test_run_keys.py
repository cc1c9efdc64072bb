"""The fast keys are the slow keys, whatever the axes."""

import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import RecipeSource, read_recipe
from synth_api.errors import InputError
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import build_key_document, compute_run_key
from synth_api.sweep.definition import Sweep

RECIPE = Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml"
STEPS = "synth_chain.feature_generation_steps"
VARIABILITIES = "process_conditions.feature_variabilities"
AXES = [
    "blueprints.particles.Bead.number=100,200,600",
    "blueprints.particles.Bead.number=range(40)",
    "blueprints.particles.Bead.material_prototype_name=plain,sem_polystyrene",
    "initial_runtime_state.seed=range(3)",
    "initial_runtime_state.seed=range(9000000000000000,0,-300000000000001)",
    f"{STEPS}.5.gravity.2=-100,-10000,-9.81",
    f"{STEPS}.5.gravity.1=range(-5,5)",
    f"{STEPS}.5.gravity=[0,0,-1],[0,0,-9.81],[1,2.5,3]",
    f"{STEPS}.5.num_frames=range(50,150)",
    f"{STEPS}.5.use_gravity=true,false",
    f"{STEPS}.5.collision_shape=SPHERE,CONVEX_HULL",
    f"{STEPS}.2.affected_set_name=AllParticles,Empty",
    f"{VARIABILITIES}.Defocus.variability.location=range(0,0.5,0.01)",
    f"{VARIABILITIES}.Defocus.variability.scale=0.1,0.2,0",
    f"{VARIABILITIES}.Defocus.variability.num_dimensions=1",
    f"{VARIABILITIES}.ParticleSubdivisions.variability.value=1,2,3",
    f"{VARIABILITIES}.ParticleSubdivisions.variability.value=${{initial_runtime_state.seed}},2",
    f"{VARIABILITIES}.BackgroundPatchSeed.variability.value=7,${{initial_runtime_state.seed}}",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10,100",
    "++blueprints.measurement_techniques.SEM.features.resolution_percentage=range(1,101)",
    "synth_chain.rendering_steps.6.rendering_mode=stylized_xray,stl",
    "synth_chain.rendering_steps.2={output_file_name_prefix:a},{output_file_name_prefix:b}",
]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(AXES), min_size=1, max_size=4, unique=True), st.data())
def test_fast_keys_equal_the_keys_of_the_recipes(axes: list[str], data: st.DataObject) -> None:
    try:
        sweep = Sweep.load(RECIPE, axes)
    except InputError:
        return  # axes of one key, or a seed too large for a subdivision
    start = data.draw(st.integers(0, sweep.runs - 1))
    keys = list(sweep.keys(start, start + 8))
    assert len(keys) == min(8, sweep.runs - start)
    assert [key.hex() for key in keys] == [compute_run_key(sweep.build_recipe(start + n)) for n in range(len(keys))]


@pytest.mark.parametrize("axis", AXES)
def test_every_value_of_an_axis(axis: str) -> None:
    sweep = Sweep.load(RECIPE, [axis, "initial_runtime_state.seed=5,6"] if "state.seed=" not in axis else [axis])
    fast = [key.hex() for key in sweep.keys(0, sweep.runs)]
    assert fast == [sweep.key(run) for run in range(sweep.runs)]


INTERPOLATED = """
defaults: [BaseRecipe, spheres, _self_]
blueprints:
  particles:
    Small: {geometry_prototype_name: sphere, number: "${..Bead.number}"}
process_conditions:
  sets: {S1: {criterion: "True"}, S2: {criterion: "${..S1.criterion} or $IsParticle"}}
  feature_variabilities:
    Defocus: {variability: {location: "${.scale}"}}
synth_chain:
  rendering_steps:
    - _target_: $builtins.RenderParticlesTogether
      rendering_mode: categorical
      output_file_name_prefix: "n${blueprints.particles.Bead.number}_s${initial_runtime_state.seed}_"
      set_name_of_interest: S1
      subfolder: Defocus
    - {_target_: $builtins.SaveState, name: "${..0.set_name_of_interest}-${..0.rendering_mode}"}
"""
OF_INTERPOLATED = [
    "blueprints.particles.Bead.number=1,2,600",
    "initial_runtime_state.seed=range(40)",
    f"{VARIABILITIES}.Defocus.variability.scale=range(0,0.4,0.01)",
    f"{VARIABILITIES}.Defocus.variability={{scale:0.1}},{{scale:0.2,location:0.3}}",
    "process_conditions.sets.S1.criterion='True','not $IsParticle'",
    "synth_chain.rendering_steps.0.set_name_of_interest=S1,S2",
    "synth_chain.rendering_steps.0.output_file_name_prefix='${.rendering_mode}${..1.name}',a",
    "synth_chain.rendering_steps.0.subfolder=Defocus,BackgroundPatchScale",
    "+blueprints.particles.X={geometry_prototype_name:sphere,number:3},{geometry_prototype_name:cube,number:4}",
    "++blueprints.particles.Small={number:'${..Bead.number}'},{number:7,material_prototype_name:plain}",
]
FIXED = [
    "+blueprints.particles.Y={geometry_prototype_name: sphere, number: '${..Bead.number}'}",
    "process_conditions.sets.S2.criterion='${..S1.criterion} and $IsParticle'",
    f"{VARIABILITIES}.NoiseThreshold.variability.scale="
    "'${process_conditions.feature_variabilities.${synth_chain.rendering_steps[0].subfolder}.variability.scale}'",
]


@pytest.fixture(scope="session")
def interpolated(tmp_path_factory: pytest.TempPathFactory) -> RecipeSource:
    folder = tmp_path_factory.mktemp("interpolated")
    (folder / "spheres.yaml").write_text(RECIPE.read_text())
    (folder / "main.yaml").write_text(INTERPOLATED)
    return read_recipe(folder / "main.yaml")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(OF_INTERPOLATED), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(FIXED), max_size=2, unique=True),
    st.data(),
)
def test_keys_are_those_of_the_whole_composition(
    interpolated: RecipeSource, axes: list[str], fixed: list[str], data: st.DataObject
) -> None:
    try:
        sweep = Sweep.from_source(interpolated, [*fixed, *axes])
    except InputError:
        assert len(axes) > 1
        return  # two axes lie within each other
    run = data.draw(st.integers(0, sweep.runs - 1))
    overrides = [
        *fixed,
        *(axis.format_override(digit) for axis, digit in zip(sweep.axes, sweep.find_digits(run), strict=True)),
    ]
    try:
        whole = compute_run_key(parse_recipe(resolve(compose_recipe(interpolated, overrides))))
    except InputError:
        with pytest.raises(InputError):
            list(sweep.keys(run, run + 1))
        return
    assert [key.hex() for key in sweep.keys(run, run + 1)] == [whole]
    assert [key.hex() for key in sweep.keys(max(0, run - 3), run + 1)][-1] == whole


def test_a_value_that_is_the_default_inside_a_long_range_has_the_key_of_the_default() -> None:
    sweep = Sweep.load(RECIPE, [f"{STEPS}.5.num_frames=range(50,150)"])
    keys = list(sweep.keys())
    assert "num_frames" not in build_key_document(sweep.build_recipe(50)).decode()
    assert keys[50].hex() == sweep.key(50)
    assert len(set(keys)) == 100


def test_keys_of_part_of_a_sweep() -> None:
    sweep = Sweep.load(RECIPE, ["blueprints.particles.Bead.number=1,2", "initial_runtime_state.seed=range(50)"])
    assert list(sweep.keys(40, 60)) == list(sweep.keys())[40:60]
    assert list(sweep.keys(95, 1000)) == list(sweep.keys())[95:]


def test_values_that_shape_no_pixel_change_no_key() -> None:
    assert len({Sweep.load(RECIPE, [f"initial_runtime_state.time={time}"]).key(0) for time in (0, 1)}) == 1


def test_memory_is_flat() -> None:
    sweep = Sweep.load(RECIPE, ["initial_runtime_state.seed=range(1000000)"])
    keys = sweep.keys()
    list(islice(keys, 100))
    tracemalloc.start()
    for _ in islice(keys, 20_000):
        pass
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000
