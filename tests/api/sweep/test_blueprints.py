"""The particle blueprints of a sweep, in the order of the categories of its dataset."""

from pathlib import Path

import pytest

from synth_api.composition.source import read_recipe
from synth_api.resources.synth_sweep import AxisSpec
from synth_api.sweep.definition import Sweep

PARTICLES = "blueprints.particles"
FEW = "{geometry_prototype_name:sphere,number:3}"
MANY = "{geometry_prototype_name:sphere,number:30}"
CHOOSE = "synth_chain.feature_generation_steps.1.choose"
SEED = "initial_runtime_state.seed"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Its particle blueprints are written in reverse order."""
    path = tmp_path / "two.yaml"
    path.write_text("""
defaults: [BaseRecipe, _self_]
initial_runtime_state: {seed: 0}
blueprints:
  measurement_techniques:
    SEM: {measurement_technique_prototype_name: secondary_electron_microscope}
  particles:
    Flake: {geometry_prototype_name: sphere, number: 1}
    Bead: {geometry_prototype_name: sphere, number: 2}
synth_chain:
  feature_generation_steps:
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllMeasurementTechniqueBlueprints}
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllParticleBlueprints}
  rendering_steps: []
""")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [f"{SEED}=range(3)"],
        [f"{PARTICLES}.Bead.number=0"],
        [f"{PARTICLES}.Bead.number=0,5", f"{PARTICLES}.Flake.number=0"],
        [f"+{PARTICLES}.Bead.weight=0,1", f"+{PARTICLES}.Flake.weight=1,2", f"+{CHOOSE}=one"],
        [f"~{PARTICLES}.Bead"],
        [f"{PARTICLES}={{Bead:{FEW}}},{{Flake:{FEW}}}"],
    ],
)
def test_blueprints_are_the_same_in_every_sweep_of_a_recipe(recipe: Path, arguments: list[str]) -> None:
    assert Sweep.load(recipe, arguments).particle_blueprints == ("Bead", "Flake")


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ([f"+{PARTICLES}.Aggregate={FEW},{MANY}"], ["Aggregate"]),
        ([f"+{PARTICLES}.Aggregate={FEW}"], ["Aggregate"]),
        ([f"{PARTICLES}={{Zeolite:{FEW}}},{{Aggregate:{FEW}}}"], ["Aggregate", "Zeolite"]),
        ([f"blueprints={{particles:{{Zeolite:{FEW}}}}},{{particles:{{Aggregate:{FEW}}}}}"], ["Aggregate", "Zeolite"]),
        ([f"+{PARTICLES}.Aggregate=${{{PARTICLES}.Bead}}"], ["Aggregate"]),
        ([f"~{PARTICLES}.Bead", f"+{PARTICLES}.Aggregate={FEW},{MANY}"], ["Aggregate"]),
    ],
)
def test_added_blueprints_follow_the_recipes_own(recipe: Path, arguments: list[str], added: list[str]) -> None:
    assert Sweep.load(recipe, arguments).particle_blueprints == ("Bead", "Flake", *added)


def test_blueprints_of_excluded_runs_are_included(recipe: Path) -> None:
    few = {"geometry_prototype_name": "sphere", "number": 3}
    kinds = AxisSpec(path=PARTICLES, values=({"Zeolite": few}, {"Aggregate": few}))
    seeds = AxisSpec(path=SEED, values=(1, 2))
    for excluded in ((), ({PARTICLES: kinds.values[1]},), ({SEED: 1},)):
        sweep = Sweep.from_source(read_recipe(recipe), axes=(kinds, seeds), exclude=excluded)
        assert sweep.particle_blueprints == ("Bead", "Flake", "Aggregate", "Zeolite")
