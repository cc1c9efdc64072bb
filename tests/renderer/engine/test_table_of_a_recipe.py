"""`particles.parquet` has the columns of the recipe in every run, and the label digests of runs rendered before."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synth_dataset.documents.label_digest import compute_folder_digest

BROAD = Path(__file__).parent / "sem_broad_of_a_release.yaml"
"""The recipe as it was when the digests were taken, so that they do not depend on its mixture."""
SIZE = [f"blueprints.measurement_techniques.SEM.features.resolution_{side}=64" for side in "xy"]
BROAD_DIGESTS = {
    0: "067b07178ad1e7df07dbc2869d864788e81aabae18ed1283a359899579b3b92e",
    1: "f960177aa6a7c0c490fe53916065a8bb22f0ef8dc03420d622861d1b71e05a36",
    5: "3ab2662572853816ccbcd8cf9cde69ef9488e486e12029bef262672e583d2fe9",
}
"""Seed -> label digest of a release whose tables had the columns of a run's particles only."""
CUSTOM = """
defaults: [BaseRecipe, _self_]
initial_runtime_state: {seed: 42}
blueprints:
  measurement_techniques:
    SEM: {measurement_technique_prototype_name: secondary_electron_microscope, features: {resolution_percentage: 10}}
  particles:
    Bead:
      geometry_prototype_name: sphere
      number: 4
      custom_features:
        - {name: batch, _value: 1}
        - {name: label}
        - {name: tag, _value: red}
        - {name: flag, _value: 3}
        - {name: pair}
        - {name: normal, _value: [1, 2, 3]}
        - {name: grade, _value: 7}
    Cube:
      geometry_prototype_name: cube
      material_prototype_name: sem_particle
      number: 3
      custom_features:
        - {name: batch, _value: 1.5}
        - {name: tag, _value: 5}
        - {name: flag, _value: true}
        - {name: grade, _value: 7}
    Never: {geometry_prototype_name: raspberry, number: 0}
process_conditions:
  feature_variabilities:
    Pair:
      feature_name: pair
      variability: {_target_: $builtins.UniformDistribution3dHomogeneous, location: 0.0, scale: 1.0}
    Grade: {feature_name: grade, variability: {_target_: $builtins.Choice, values: [1, 2.5]}}
synth_chain:
  feature_generation_steps:
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllMeasurementTechniqueBlueprints}
    - {_target_: $builtins.InvokeBlueprints, affected_set_name: AllParticleBlueprints}
    - {_target_: $builtins.DistributeInMeasurementVolume, affected_set_name: AllParticles}
    - {_target_: $builtins.TriggerFeatureUpdate, affected_set_name: AllParticles, feature_variability_name: Pair}
    - {_target_: $builtins.TriggerFeatureUpdate, affected_set_name: AllParticles, feature_variability_name: Grade}
  rendering_steps:
    - {_target_: $builtins.RenderParticlesTogether, rendering_mode: categorical}
"""
CUSTOM_DIGESTS = {
    3: "b121c46de9a483def5c8897aebda6d9a3189a8f584d7417b83792d4b213c9968",
    0: "d69a35b9392460378d217d3c9d72b262b3f26c191d2de46460e72dcd39de16f5",
}
"""Number of cubes -> label digest of the same release."""


@pytest.fixture(scope="module")
def broad_schemas() -> list[pq.ParquetSchema]:
    return []


@pytest.mark.parametrize("seed", BROAD_DIGESTS)
def test_runs_of_the_broad_recipe_keep_their_digests_and_share_one_schema(render_recipe, broad_schemas, seed) -> None:
    run, folder = render_recipe(*SIZE, f"initial_runtime_state.seed={seed}", recipe=BROAD)
    assert run.label_digest == compute_folder_digest(folder) == BROAD_DIGESTS[seed]
    broad_schemas.append(pq.read_schema(folder / "particles.parquet"))
    assert broad_schemas[-1] == broad_schemas[0]


@pytest.mark.parametrize("cubes", CUSTOM_DIGESTS)
def test_custom_features_of_several_types_keep_the_digest(render_recipe, cubes) -> None:
    run, folder = render_recipe(f"blueprints.particles.Cube.number={cubes}", recipe=CUSTOM)
    assert run.label_digest == compute_folder_digest(folder) == CUSTOM_DIGESTS[cubes]
    table = pq.read_table(folder / "particles.parquet")
    assert table["feature.batch"].to_pylist() == [1.0] * 4 + [1.5] * cubes
    assert table["feature.flag"].to_pylist() == ["3"] * 4 + ["True"] * cubes
    assert table["feature.grains"].null_count == len(table)
