"""Members of a set that are known before a run, by the steps that refuse some: only spheres agglomerate."""

from __future__ import annotations

from typing import Any

import pytest
from smallest_recipe import SMALLEST_RECIPE

from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.recipe.parsing import parse_recipe

B = "$builtins."
STEPS = "synth_chain.feature_generation_steps"
ROUND = ["default", "ellipsoid", "meta_ball_sphere", "rough_ellipsoid", "rough_sphere", "sphere"]


def write_recipe(
    criterion: str = "$IsParticle",
    *steps: dict[str, Any],
    geometry: str = "cube",
    criteria: dict[str, Any] | None = None,
    variabilities: dict[str, Any] | None = None,
    **blueprint: Any,
) -> dict[str, Any]:
    """Three spheres A and three bodies B, of which the set S agglomerates."""
    invoke = [
        {"_target_": B + "InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
        for kind in ("MeasurementTechnique", "Particle")
    ]
    agglomerate = {"_target_": B + "AgglomerateParticles", "affected_set_name": "S", "speed": 1}
    process = {"mode": "ballistic_cluster_agglomeration"}
    return {
        **SMALLEST_RECIPE,
        "blueprints": {
            **SMALLEST_RECIPE["blueprints"],
            "particles": {
                "A": {"geometry_prototype_name": "sphere", "number": 3},
                "B": {"geometry_prototype_name": geometry, "number": 3, **blueprint},
            },
        },
        "process_conditions": {
            "sets": {"S": {"criterion": criterion}},
            "feature_criteria": criteria or {},
            "feature_variabilities": variabilities or {},
        },
        "synth_chain": {
            "feature_generation_steps": [*(steps or invoke), agglomerate | process],
            "rendering_steps": [],
        },
    }


def is_equal_to(feature: str, value: Any, default: bool = False) -> dict[str, Any]:
    return {
        "_target_": B + "IsEqualTo",
        "feature_name": feature,
        "comparand": value,
        "default_return_value": default,
    }


IS_A, IS_LARGE, HAS_SUBDIVISIONS = (
    is_equal_to("blueprint_name", "A"),
    is_equal_to("size_class", "large"),
    is_equal_to("subdivisions", 2),
)


def test_a_body_that_is_never_a_sphere_is_refused_at_the_set(refusal) -> None:
    assert refusal(parse_recipe, write_recipe()) == (
        f"{STEPS}[2].affected_set_name: 'S' holds the particles of 'B', whose geometry is cube, and only spheres"
        f" agglomerate; leave them out of the set, or give them one of {', '.join(ROUND)}"
    )


@pytest.mark.parametrize("geometry", sorted(GEOMETRIES))
def test_geometries_that_may_be_spheres_agglomerate(refusal, geometry: str) -> None:
    if geometry in ROUND:
        assert parse_recipe(write_recipe(geometry=geometry))
    else:
        assert f"whose geometry is {geometry}, " in refusal(parse_recipe, write_recipe(geometry=geometry))


@pytest.mark.parametrize(
    "criterion",
    [
        "True",
        "$IsUltimateParent",
        "not $IsA",
        "$IsParticle and not $IsA",
        "$IsLarge",
        "$IsA or $IsLarge",
        "not ($IsA and $HasSubdivisions)",
        "$IsTall or not $IsTall or $IsLarge",
    ],
)
def test_a_set_with_certain_members_is_refused(refusal, criterion: str) -> None:
    criteria = {"IsA": IS_A, "IsLarge": IS_LARGE, "HasSubdivisions": HAS_SUBDIVISIONS}
    criteria["IsTall"] = is_equal_to("height", 1.0)
    custom = [{"name": "size_class", "_value": "large"}]
    recipe = write_recipe(criterion, criteria=criteria, custom_features=custom)
    assert "holds the particles of 'B'" in refusal(parse_recipe, recipe)


@pytest.mark.parametrize("criterion", ["$IsA", "$IsParticle and not $IsLarge", "False", "$IsParticleBlueprint"])
def test_a_set_without_them_is_valid(criterion: str) -> None:
    custom = [{"name": "size_class", "_value": "large"}]
    assert parse_recipe(write_recipe(criterion, criteria={"IsA": IS_A, "IsLarge": IS_LARGE}, custom_features=custom))


@pytest.mark.parametrize("criterion", ["$IsTall", "not $IsTall", "$IsParticle and $IsTall"])
def test_members_by_the_features_of_a_prototype_are_left_to_the_run(criterion: str) -> None:
    assert parse_recipe(write_recipe(criterion, criteria={"IsTall": is_equal_to("height", 1.0)}))


def test_members_by_a_feature_that_is_drawn_are_left_to_the_run() -> None:
    drawn = {"_target_": B + "Choice", "values": ["large", "small"]}
    recipe = write_recipe(
        "$IsLarge",
        criteria={"IsLarge": IS_LARGE},
        variabilities={"Class": {"feature_name": "size_class", "variability": drawn}},
        custom_features=[{"name": "size_class", "_value": "large"}],
    )
    assert parse_recipe(recipe)


def test_particles_that_no_run_has_are_valid() -> None:
    technique, particles = (
        {"_target_": B + "InvokeBlueprints", "affected_set_name": name}
        for name in ("AllMeasurementTechniqueBlueprints", "AllParticleBlueprints")
    )
    assert parse_recipe(write_recipe(number=0))
    assert parse_recipe(write_recipe("$IsParticle", technique))
    weighted = write_recipe("$IsParticle", technique, particles | {"choose": "one"}, weight=0)
    weighted["blueprints"]["particles"]["A"]["weight"] = 1
    assert parse_recipe(weighted)
