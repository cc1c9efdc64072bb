"""A sweep's runs: numbers to overrides to recipes, equal to what Hydra composes."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.errors import InputError
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.sweep.axes import Axis
from synth_api.sweep.definition import Sweep

NUMBER = "blueprints.particles.Bead.number"
SEED = "initial_runtime_state.seed"
GRAVITY = "synth_chain.feature_generation_steps.5.gravity"
TUTORIAL = [f"{NUMBER}=100,200,300,400,500,600", f"{SEED}=range(15)", f"{GRAVITY}.2=-100,-10000"]
RECIPE = Path(__file__).parents[3] / "recipes" / "spheres_sem.yaml"


def test_the_tutorial_sweep_has_180_runs_last_axis_fastest(spheres_sem: Path) -> None:
    sweep = Sweep.load(spheres_sem, TUTORIAL)
    assert sweep.name == "spheres_sem"
    assert sweep.runs == 180
    assert [axis.path for axis in sweep.axes] == [NUMBER, SEED, f"{GRAVITY}.2"]
    number, seed, gravity = 3, 7, 1
    assert sweep.overrides((number * 15 + seed) * 2 + gravity) == {NUMBER: 400, SEED: 7, f"{GRAVITY}.2": -10000}
    assert list(sweep.overrides(0).values()) == [100, 0, -100]
    assert list(sweep.overrides(179).values()) == [600, 14, -10000]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.data())
def test_run_numbers_and_digits_are_one_to_one(lengths: list[int], data: st.DataObject) -> None:
    sweep = Sweep(name="x", axes=tuple(Axis("", f"a{n}", range(length)) for n, length in enumerate(lengths)), base={})
    run = data.draw(st.integers(0, sweep.runs - 1))
    number = 0
    for digit, length in zip(sweep.find_digits(run), lengths, strict=True):
        assert 0 <= digit < length
        number = number * length + digit
    assert number == run


def test_a_run_has_its_values(spheres_sem: Path) -> None:
    recipe = Sweep.load(spheres_sem, TUTORIAL).build_recipe(179)
    assert recipe.blueprints.particles["Bead"].number == 600
    assert recipe.initial_runtime_state.seed == 14
    assert recipe.synth_chain.feature_generation_steps[5].gravity[2] == -10000
    assert recipe.process_conditions.feature_variabilities["BackgroundPatchSeed"].variability.value == 14


def test_without_axes_there_is_one_run(spheres_sem: Path) -> None:
    sweep = Sweep.load(spheres_sem, [f"{NUMBER}=7"])
    assert sweep.runs == 1
    assert sweep.overrides(0) == {}
    assert sweep.build_recipe(0).blueprints.particles["Bead"].number == 7
    assert list(sweep.keys()) == [bytes.fromhex(sweep.key(0))]


@pytest.mark.parametrize("run", [-1, 180])
def test_run_numbers_outside_the_sweep_are_refused(spheres_sem: Path, run: int) -> None:
    with pytest.raises(InputError, match=rf"there is no run {run}; this sweep has runs 0 to 179"):
        Sweep.load(spheres_sem, TUTORIAL).overrides(run)


def test_a_million_runs_take_no_memory(spheres_sem: Path) -> None:
    tracemalloc.start()
    sweep = Sweep.load(spheres_sem, [f"{SEED}=range(1000000)"])
    sweep.build_recipe(999_999)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sweep.runs == 1_000_000
    assert peak < 20e6


AXES = [
    f"{NUMBER}=0,5",
    f"{SEED}=range(3,9,3)",
    f"{GRAVITY}.2=-100,-1e4",
    "synth_chain.feature_generation_steps.5.num_frames=100,250",
    "synth_chain.rendering_steps.6.rendering_mode=stylized_xray,stl",
    "blueprints.particles.Bead.material_prototype_name=plain,sem_polystyrene",
    "process_conditions.feature_variabilities.Defocus.variability.scale=0.1,0.2",
    "process_conditions.feature_variabilities.Defocus.variability="
    "{_target_:$builtins.UniformDistributionNdHomogeneous,location:0.1},{scale:0}",
    "process_conditions.feature_variabilities.BackgroundPatchSeed.variability.value=4,${initial_runtime_state.seed}",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10,20",
    f"{GRAVITY}=[0,0,-1],[0,0,-2]",
]


def subtree(axis: str) -> str:
    """What axes may share without lying within each other: not a list, not a variability."""
    return axis.partition("=")[0].partition(".variability")[0].removesuffix(".2")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(AXES), min_size=1, max_size=3, unique_by=subtree), st.data())
def test_a_run_is_what_hydra_composes(axes: list[str], data: st.DataObject) -> None:
    sweep = Sweep.load(RECIPE, axes)
    run = data.draw(st.integers(0, sweep.runs - 1))
    overrides = [axis.format_override(digit) for axis, digit in zip(sweep.axes, sweep.find_digits(run), strict=True)]
    composed = parse_recipe(resolve(compose_recipe(read_recipe(RECIPE), overrides)))
    assert build_canonical_tree(sweep.build_recipe(run)) == build_canonical_tree(composed)
    assert sweep.build_recipe(run) == composed


def test_a_step_id_addresses_its_step(tmp_path: Path, spheres_sem: Path) -> None:
    text = spheres_sem.read_text().replace("RelaxCollisions\n", "RelaxCollisions\n      id: relax\n")
    (tmp_path / "named.yaml").write_text(text)
    axis = "synth_chain.feature_generation_steps.relax.gravity.2=-100,-10000"
    sweep = Sweep.load(tmp_path / "named.yaml", [axis])
    assert sweep.axes[0].path == f"{GRAVITY}.2"
    by_index = Sweep.load(spheres_sem, [f"{GRAVITY}.2=-100,-10000"])
    assert list(sweep.keys()) == list(by_index.keys())
    with pytest.raises(InputError, match="there are two axes for this key"):
        Sweep.load(tmp_path / "named.yaml", [axis, f"{GRAVITY}.2=-5,-6"])


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("blueprints.particles.Bead.nmber=1,2", "nmber", "number"),
        ("blueprints.particles.Bead.number=100,-3", "blueprints.particles.Bead.number", "-3"),
        ("blueprints.particles.Bead.number=5,4,0.5,6,7", "blueprints.particles.Bead.number", "0.5"),
        ("blueprints.particles.Bead.number=range(5,-5,-1)", "blueprints.particles.Bead.number", "-4"),
        ("blueprints.particles.Bead.number=range(0,4,0.5)", "blueprints.particles.Bead.number", "0.5"),
        (f"{GRAVITY}.2=-100,down", "gravity", "down"),
        ("synth_chain.rendering_steps.1.rendering_mode=real,unreal", "rendering_mode", "unreal"),
        ("blueprints.particles.Bead.geometry_prototype_name=sphere,cube", "geometry_prototype_name", "cube"),
        ("+blueprints.particles.Bead.number=1,2", "blueprints.particles.Bead.number", "without its +"),
        ("synth_chain.feature_generation_steps.99.gravity=1,2", "synth_chain.feature_generation_steps", "99"),
        (
            "blueprints.measurement_techniques.SEM.features.resolution_percentage=10,20",
            "resolution_percentage",
            "+",
        ),
    ],
)
def test_an_invalid_axis_is_refused_first(spheres_sem: Path, argument: str, path: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        Sweep.load(spheres_sem, [argument])
    assert path in str(caught.value)
    assert value in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_do_not_fit_together_name_their_run(tmp_path: Path, spheres_sem: Path) -> None:
    uniform = "UniformDistribution3dHomogeneous\n        location: 5\n        scale: 2\n"
    bounded = "LogNormal3dHomogeneous\n        geometric_mean: 5\n        geometric_standard_deviation: 1.3\n"
    text = spheres_sem.read_text()
    assert uniform in text
    (tmp_path / "bounded.yaml").write_text(text.replace(uniform, f"{bounded}        min: 1\n        max: 9\n"))
    diameter = "process_conditions.feature_variabilities.ParticleDimension.variability"
    sweep = Sweep.load(tmp_path / "bounded.yaml", [f"{SEED}=1,2", f"{diameter}.min=1,5", f"{diameter}.max=9,4"])
    says = rf"nothing lies between min 5\.0 and max 4\.0.*\(in the run with {SEED}=1, {diameter}\.min=5, .*max=4\)"
    with pytest.raises(InputError, match=says):
        sweep.build_recipe(3)
    keys = sweep.keys()
    assert [next(keys).hex() for _ in range(3)] == [sweep.key(run) for run in range(3)]
    with pytest.raises(InputError, match=says):
        next(keys)


def test_a_bound_on_a_sum_is_checked_where_the_sum_is_largest(tmp_path: Path, spheres_sem: Path) -> None:
    bead = "    Bead:\n      geometry_prototype_name: sphere\n      number: 1\n"
    head, particles, tail = spheres_sem.read_text().partition("  particles:\n")
    (tmp_path / "two.yaml").write_text(head + particles + bead.replace("Bead", "Other") + tail)
    axes = [f"{NUMBER}=1,60000,2", f"{NUMBER.replace('Bead', 'Other')}=range(10000,0,-1)"]
    with pytest.raises(InputError, match="70,000 particles"):
        Sweep.load(tmp_path / "two.yaml", axes)


def test_the_plan_depends_on_every_input_and_on_nothing_else(spheres_sem: Path) -> None:
    plan = Sweep.load(spheres_sem, TUTORIAL).plan()
    assert plan == Sweep.load(spheres_sem, TUTORIAL).plan()
    assert len(bytes.fromhex(plan)) == 32
    others = [
        Sweep.load(spheres_sem, TUTORIAL[:2]).plan(),
        Sweep.load(spheres_sem, TUTORIAL[::-1]).plan(),
        Sweep.load(spheres_sem, [TUTORIAL[0], f"{SEED}=range(16)", TUTORIAL[2]]).plan(),
        Sweep.load(spheres_sem, [*TUTORIAL, "blueprints.particles.Bead.material_prototype_name=plain"]).plan(),
        Sweep.load(spheres_sem, TUTORIAL).plan("s3://bucket/prefix"),
    ]
    assert len({plan, *others}) == 6
