"""Values that change no output are named in a warning, and only those."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.recipe.ineffective_values import describe_ineffective_values
from synth_api.recipe.parsing import parse_recipe
from synth_api.sweep.definition import Sweep

ROOT = Path(__file__).parents[3]
TECHNIQUE = "blueprints.measurement_techniques.SEM"
BEAD = "blueprints.particles.Bead"
RELAX = "synth_chain.feature_generation_steps.5"
REAL = "synth_chain.rendering_steps.1"
VARIABILITIES = "process_conditions.feature_variabilities"
DEPOSIT = {"_target_": "$builtins.DepositOnSubstrate", "affected_set_name": "AllParticles", "layout": "sparse"}
ALONE = {"_target_": "$builtins.RenderParticlesIndividually", "rendering_mode": "categorical"}


def findings(tree: dict[str, Any]) -> list[str]:
    return list(describe_ineffective_values(parse_recipe(tree)))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "initial_runtime_state.time",
            3.5,
            "initial_runtime_state.time: 3.5 has no effect: nothing depends on the time",
        ),
        (f"{BEAD}.parent", "Table", f"{BEAD}.parent: 'Table' has no effect: no particle has a parent"),
        (f"{BEAD}.weight", 2.0, f"{BEAD}.weight: 2.0 has no effect: no step chooses one of several blueprints"),
        (f"{BEAD}.features", {"subdivisions_vp": 3}, "3 has no effect: pictures, labels and states have the level of"),
        ("synth_chain.blender_log_file_name", "b.log", "'b.log' has no effect: Blender's output is not kept in a file"),
        (
            f"{TECHNIQUE}.measurement_volume_material_prototype_name",
            "plain",
            "'plain' has no effect: the measurement volume is not rendered, and no particle's IOR is divided by",
        ),
        (f"{TECHNIQUE}.features", {"output_root": "x"}, "'x' has no effect: a run's files lie in the run's own folder"),
        (f"{TECHNIQUE}.features", {"color_mode": "RGB"}, "'RGB' has no effect: the technique alone decides"),
        (f"{TECHNIQUE}.features", {"color_depth": "16"}, "'16' has no effect: pictures have 8 bits per channel"),
        (f"{TECHNIQUE}.features", {"compression": 90}, "90 has no effect: it would change no pixel"),
        (
            f"{VARIABILITIES}.BackgroundPatchSeed",
            {"feature_name": "output_root", "variability": {"_target_": "$builtins.Constant", "value": "x"}},
            f"{VARIABILITIES}.BackgroundPatchSeed.feature_name: 'output_root' has no effect: a run's files lie in",
        ),
        (
            f"{RELAX}.mass",
            3.0,
            "5].mass: 3.0 has no effect: all bodies of a step weigh the same, so their mass cancels",
        ),
        (f"{RELAX}.mesh_source", "BASE", "5].mesh_source: 'BASE' has no effect: particles collide as rendered"),
        (f"{RELAX}.use_gravity", False, "5].gravity: [0.0, 0.0, -100.0] has no effect: use_gravity is false"),
        (RELAX, DEPOSIT | {"coverage": 0.1, "piles": 2}, "piles: 2 has no effect: it belongs to the layout heap"),
        (
            RELAX,
            DEPOSIT | {"coverage": 0.1, "jitter": 0.2},
            "jitter: 0.2 has no effect: it belongs to the layout lattice",
        ),
        (
            RELAX,
            DEPOSIT | {"coverage": 0.1, "cluster_size": 3},
            "cluster_size: 3 has no effect: it belongs to the layout rafts or chains or rings",
        ),
        (
            RELAX,
            DEPOSIT | {"coverage": 0.1, "piles": {"_target_": "$builtins.Choice", "values": [1, 2]}},
            "piles: Choice has no effect: it belongs to the layout heap",
        ),
        (REAL, ALONE | {"set_name_overlapping": "AllParticles"}, "has no effect: every particle is rendered alone"),
        (f"{REAL}.rendering_mode", "stl", None),
        (REAL, ALONE | {"set_name_overlapping": "AllParticles", "do_save_state": True}, None),
        (f"{RELAX}.collision_margin", 0.5, None),
    ],
)
def test_a_value_without_effect_is_named_with_its_reason(spheres_tree, put, path, value, sentence) -> None:
    found = findings(put(spheres_tree, path, value))
    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]


def test_meshes_cover_nothing(spheres_tree, put) -> None:
    tree = put(put(spheres_tree, f"{REAL}.rendering_mode", "stl"), f"{REAL}.set_name_overlapping", "AllParticles")
    assert "rendering_steps[1].set_name_overlapping: 'AllParticles' has no effect: meshes cover" in findings(tree)[0]


def test_features_of_the_volume_and_of_materials_that_the_technique_does_not_show(spheres_tree) -> None:
    tree = deepcopy(spheres_tree)
    technique = tree["blueprints"]["measurement_techniques"]["SEM"]
    technique |= {"measurement_volume_material_prototype_name": "plain", "features": {"roughness": 0.1}}
    tree["blueprints"]["particles"]["Bead"] |= {
        "material_prototype_name": "sem_particle",
        "features": {"brightness": 2.0},
    }
    found = findings(tree)
    assert f"{TECHNIQUE}.features.roughness: 0.1 has no effect: the measurement volume is not rendered" in found
    unseen = "2.0 has no effect: secondary_electron_microscope does not show it"
    assert f"{BEAD}.features.brightness: {unseen}" in found


def test_the_default_technique_has_no_background(spheres_tree, put) -> None:
    tree = put(spheres_tree, f"{TECHNIQUE}.measurement_technique_prototype_name", "default")
    del tree["synth_chain"]["feature_generation_steps"][6:9]
    where = f"{TECHNIQUE}.background_material_prototype_name"
    assert f"{where}: 'sem_patchy_silicone' has no effect: this technique has no background" in findings(tree)


@pytest.mark.parametrize("recipe", sorted(path.name for path in (ROOT / "recipes").glob("*.yaml")))
def test_our_own_recipes_have_nothing_without_effect(recipe) -> None:
    assert not list(describe_ineffective_values(Sweep.load(ROOT / "recipes" / recipe).build_recipe(0)))


def test_a_sweep_warns_once_of_a_value_that_many_runs_have(caplog) -> None:
    Sweep.load(ROOT / "recipes/spheres_sem.yaml", ["initial_runtime_state.time=2", "initial_runtime_state.seed=1,2,3"])
    assert [record.getMessage() for record in caplog.records] == [
        "spheres_sem: initial_runtime_state.time: 2.0 has no effect: nothing depends on the time"
    ]


def test_a_sweep_warns_of_a_value_of_an_axis(caplog) -> None:
    Sweep.load(ROOT / "recipes/spheres_sem.yaml", ["initial_runtime_state.time=choice(2)"])
    assert "initial_runtime_state.time: 2.0 has no effect" in caplog.text


def test_a_shape_of_several_bodies_is_refused(spheres_tree, put) -> None:
    with pytest.raises(InputError, match=r"collision_shape: COMPOUND joins .*; take CONVEX_HULL"):
        parse_recipe(put(spheres_tree, f"{RELAX}.collision_shape", "compound"))
