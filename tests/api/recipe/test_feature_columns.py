"""The feature columns of a table depend on the recipe alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from synth_api.recipe.feature_columns import list_feature_columns
from synth_api.recipe.parsing import parse_recipe
from synth_api.sweep.definition import Sweep

RECIPES = Path(__file__).parents[3] / "recipes"


def columns_of(features: dict[str, list[Any]], drawn: dict[str, dict[str, Any]] | None = None) -> dict[str, str]:
    """Types of the columns of custom features: blueprints with first values by feature, variabilities by feature."""
    tree = yaml.safe_load((RECIPES / "spheres_sem.yaml").read_text())
    tree.pop("defaults")
    tree["blueprints"]["particles"] = {
        f"Bead{number}": {
            "geometry_prototype_name": "default",
            "number": 1,
            "custom_features": [{"name": name, "_value": values[number]} for name, values in features.items()],
        }
        for number in range(len(next(iter(features.values()))))
    }
    tree["process_conditions"] = {
        "feature_variabilities": {
            f"Of_{name}": {"feature_name": name, "variability": variability}
            for name, variability in (drawn or {}).items()
        }
    }
    tree["synth_chain"] = {
        "feature_generation_steps": [
            {
                "_target_": "$builtins.InvokeBlueprints",
                "affected_set_name": "AllMeasurementTechniqueBlueprints",
            },
            *(
                {
                    "_target_": "$builtins.TriggerFeatureUpdate",
                    "affected_set_name": "AllParticles",
                    "feature_variability_name": f"Of_{name}",
                }
                for name in drawn or {}
            ),
        ],
        "rendering_steps": [],
    }
    columns = list_feature_columns(parse_recipe(tree))
    return {name: str(kind) for name, kind in columns.items() if name.partition(".")[0] in features}


def test_all_runs_of_a_recipe_have_the_same_columns_whatever_they_show() -> None:
    seeds = Sweep.load(RECIPES / "sem_broad.yaml", ["initial_runtime_state.seed=range(3)"])
    columns = [list_feature_columns(seeds.build_recipe(run)) for run in range(3)]
    none = Sweep.load(RECIPES / "sem_broad.yaml", ["blueprints.particles.Sphere.number=0"])
    assert columns[0] == columns[1] == columns[2] == list_feature_columns(none.build_recipe(0))


def test_columns_follow_the_names_of_features_then_their_parts() -> None:
    recipe = Sweep.load(RECIPES / "spheres_sem.yaml").build_recipe(0)
    assert {name: str(kind) for name, kind in list_feature_columns(recipe).items()} == {
        "blueprint_name": "string",
        "category_color": "string",
        "dimensions.x": "float",
        "dimensions.y": "float",
        "dimensions.z": "float",
        "location.x": "float",
        "location.y": "float",
        "location.z": "float",
        "location_x": "float",
        "location_y": "float",
        "location_z": "float",
        "subdivisions": "int",
        "subdivisions_vp": "int",
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "int"),
        ([1, 2.5], "float"),
        ([True, False], "bool"),
        ([True, 1], "string"),
        (["red", None], "string"),
        ([None, 3], "int"),
        ([None, None], "string"),
    ],
)
def test_a_custom_feature_has_the_type_of_all_its_first_values(values: list[Any], kind: str) -> None:
    assert columns_of({"tag": values}) == {"tag": kind}


@pytest.mark.parametrize(
    ("variability", "kind"),
    [
        ({"_target_": "$builtins.Constant", "value": 2}, "int"),
        ({"_target_": "$builtins.Choice", "values": [2, 2.5]}, "float"),
        ({"_target_": "$builtins.Choice", "values": ["a", "b"]}, "string"),
        ({"_target_": "$plugins.official.UniformDistributionInt", "location": 0, "scale": 3}, "int"),
        ({"_target_": "$builtins.UniformDistributionNdHomogeneous", "location": 0.0, "scale": 1.0}, "float"),
        ({"_target_": "$builtins.UniformDistribution3dHomogeneous", "location": 0.0, "scale": 1.0}, "string"),
        ({"_target_": "$builtins.LogUniform", "min": 1.0, "max": 2.0}, "float"),
        ({"_target_": "$builtins.LogUniform", "min": 1.0, "max": 2.0, "num_dimensions": 2}, "string"),
        (
            {
                "_target_": "$builtins.Sometimes",
                "share": 0.5,
                "otherwise": 0.5,
                "variability": {"_target_": "$builtins.Constant", "value": 1},
            },
            "float",
        ),
    ],
)
def test_values_that_steps_draw_count_too(variability: dict[str, Any], kind: str) -> None:
    assert columns_of({"tag": [1]}, {"tag": variability}) == {"tag": kind}


def test_a_list_of_numbers_has_a_column_for_each_part() -> None:
    names = columns_of({"axis": [[1, 2, 3]], "pair": [[1, 2]], "tint": [[0.1, 0.2, 0.3, 1.0]]})
    assert names == dict.fromkeys(
        [*(f"axis.{part}" for part in "xyz"), "pair.x", "pair.y", *(f"tint.{part}" for part in "rgba")], "float"
    )


SKIN = {"skin_pattern", "skin_strength", "skin_scale", "skin_stretch"}
DRAWN_SKIN = {
    "feature_name": "skin_pattern",
    "variability": {"_target_": "$builtins.Choice", "values": ["none", "pores"]},
}


@pytest.mark.parametrize(
    ("features", "drawn", "expected"),
    [
        ({}, False, set()),
        ({"skin_pattern": "none"}, False, {"skin_pattern"}),
        ({"skin_pattern": "cracks"}, False, {"skin_pattern"}),
        ({"skin_scale": 0.5}, True, {"skin_pattern", "skin_scale"}),
    ],
)
def test_a_feature_younger_than_its_engine_version_has_a_column_only_where_the_recipe_sets_it(
    features: dict[str, Any], drawn: bool, expected: set[str]
) -> None:
    tree = yaml.safe_load((RECIPES / "spheres_sem.yaml").read_text())
    tree.pop("defaults")
    bead = {"geometry_prototype_name": "sphere", "material_prototype_name": "sem_particle", "number": 1}
    tree["blueprints"]["particles"] = {"Bead": bead | {"features": features}}
    tree["process_conditions"] = {"feature_variabilities": {"Skin": DRAWN_SKIN}}
    steps = [
        {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
        for kind in ("MeasurementTechnique", "Particle")
    ]
    if drawn:
        step = {"affected_set_name": "AllParticles", "feature_variability_name": "Skin"}
        steps.append({"_target_": "$builtins.TriggerFeatureUpdate", **step})
    tree["synth_chain"] = {"feature_generation_steps": steps, "rendering_steps": []}
    columns = list_feature_columns(parse_recipe(tree))
    assert columns.keys() & SKIN == expected
    assert "roughness_slope" in columns
