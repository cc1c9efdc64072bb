"""What goes into the run key: nothing that changes no pixel, and enough to make the recipe again."""

import pytest

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key

GENERATION = "synth_chain.feature_generation_steps"
RENDERING = "synth_chain.rendering_steps"


@pytest.mark.parametrize("name", ["spheres", "mixed"])
def test_a_canonical_tree_parses_back_to_an_equal_recipe(request, name: str) -> None:
    recipe = request.getfixturevalue(name)()
    again = parse_recipe(build_canonical_tree(recipe))
    assert build_canonical_tree(again) == build_canonical_tree(recipe)
    assert again == without_ids(recipe)


def without_ids(recipe):
    chain = recipe.synth_chain
    steps = tuple(step.model_copy(update={"id": None}) for step in chain.feature_generation_steps)
    return recipe.model_copy(update={"synth_chain": chain.model_copy(update={"feature_generation_steps": steps})})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("initial_runtime_state.time", 3.5),
        ("blueprints.particles.Bead.parent", "Nobody"),
        ("blueprints.particles.Bead.features", {}),
        ("synth_chain.blender_log_file_name", "other.log"),
        (f"{GENERATION}.5.id", "relax"),
        (f"{GENERATION}.5.friction", 1),
        (f"{GENERATION}.5.collision_shape", "sphere"),
        (f"{GENERATION}.5.gravity", [0.0, 0, -100.0]),
        (f"{RENDERING}.1.rendering_mode", "REAL"),
        (f"{RENDERING}.1.set_name_overlapping", None),
        ("process_conditions.sets", None),
        ("process_conditions.feature_variabilities.ParticleSubdivisions.variability.value", 1.0),
    ],
)
def test_recipes_with_the_same_meaning_have_the_same_key(spheres_tree, put, path: str, value: object) -> None:
    assert compute_run_key(parse_recipe(put(spheres_tree, path, value))) == compute_run_key(parse_recipe(spheres_tree))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("initial_runtime_state.seed", 43),
        ("blueprints.particles.Bead.number", 601),
        (f"{GENERATION}.5.friction", 0.5),
        (f"{RENDERING}.1.do_save_state", True),
        ("process_conditions.sets.S", {"criterion": "False"}),
    ],
)
def test_recipes_with_another_meaning_have_another_key(spheres_tree, put, path: str, value: object) -> None:
    assert compute_run_key(parse_recipe(put(spheres_tree, path, value))) != compute_run_key(parse_recipe(spheres_tree))


def test_defaults_are_left_out_and_targets_canonical(spheres) -> None:
    steps = build_canonical_tree(spheres())["synth_chain"]
    assert steps["rendering_steps"][:2] == [
        {"_target_": "$builtins.SaveState"},
        {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"},
    ]
    assert steps["feature_generation_steps"][5] == {
        "_target_": "$builtins.RelaxCollisions",
        "affected_set_name": "AllParticles",
        "collision_shape": "SPHERE",
        "num_frames": 250,
        "use_gravity": True,
        "gravity": [0.0, 0.0, -100.0],
    }
