"""Runs under the transmission electron microscope: no Blender, the same picture everywhere, old recipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from separate_render import render_in_process

from synth_dataset.documents.pictures import read_png

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMN = {
    "resolution_percentage": 25,
    "particle_variation": 0.1,
    "scattered_share": 0.1,
    "beam_falloff": 0.2,
    "beam_radius": 0.8,
    "underfocus": 900.0,
    "spherical_aberration": 1.2,
    "beam_convergence": 0.3,
    "phase_speckle": 0.2,
    "beam_blur": 0.7,
    "drift": 1.0,
    "drift_azimuth": 30.0,
    "camera": "ccd",
    "electrons": 800.0,
    "read_noise": 3.0,
    "gain_variation": 0.01,
    "auto_black": 0.05,
    "auto_white": 0.9,
    "gamma": 0.9,
    "saturation": 0.2,
    "nanometres_per_unit": 10.0,
    "info_bar": 0.08,
    "scale_bar": 0.3,
    "film_form": "lacey",
    "film_texture": 0.1,
    "film_gradient": 0.2,
    "film_folds": 1,
    "film_dirt": 0.05,
    "film_rim": 0.5,
    "film_edge": 0.1,
    "film_phase": 0.5,
}
SUBSTANCE = {
    "absorption": 1.2,
    "phase_shift": 2.0,
    "core_size": 0.5,
    "core_absorption": 2.0,
    "texture": 0.1,
    "crystal_contrast": 0.6,
    "bend_contours": 3.0,
    "crystal_grains": 3,
    "twin_planes": 1,
}
GOLDEN = [
    "9d82122618e5a1372b0e0f4ca723f7659dba284c9b7b5951f9819ccdc36d9a16",
    "318c81fe11c48986db8a74af9cb1b2cc7edc30ec3185d05070a7cf33eabb3ae9",
]
"""Digests of real image and labels with all of these. When this fails: raise ENGINE_VERSION, then renew them."""


def write_recipe(
    folder: Path, technique: Mapping[str, Any], particle: Mapping[str, Any], material: str, background: str
) -> Path:
    """Write a recipe of 60 spheres that lie in one picture, apart or one over the other."""
    draw = {"_target_": "$builtins.UniformDistributionNdHomogeneous", "location": -40, "scale": 80, "num_dimensions": 3}
    tree = {
        "defaults": ["BaseRecipe", "_self_"],
        "initial_runtime_state": {"seed": 5},
        "blueprints": {
            "measurement_techniques": {
                "TEM": {
                    "measurement_technique_prototype_name": "transmission_electron_microscope",
                    "background_material_prototype_name": background,
                    "features": dict(technique),
                }
            },
            "particles": {
                "Bead": {
                    "geometry_prototype_name": "sphere",
                    "material_prototype_name": material,
                    "number": 60,
                    "features": {"dimensions": [9.0, 9.0, 9.0], **particle},
                }
            },
        },
        "process_conditions": {"feature_variabilities": {"Place": {"feature_name": "location", "variability": draw}}},
        "synth_chain": {
            "feature_generation_steps": [
                {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"},
                {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
                {
                    "_target_": "$builtins.TriggerFeatureUpdate",
                    "feature_variability_name": "Place",
                    "affected_set_name": "AllParticles",
                },
            ],
            "rendering_steps": [{"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": "real"}],
        },
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.mark.slow
def test_the_same_picture_everywhere_and_no_blender(tmp_path: Path, generic_processor: dict[str, str]) -> None:
    recipe, here = write_recipe(tmp_path, COLUMN, SUBSTANCE, "tem_particle", "tem_film"), [*GOLDEN, "False"]
    assert render_in_process(recipe) == here, "the last one tells whether bpy has been imported"
    assert render_in_process(recipe, **generic_processor) == here
    assert render_in_process(recipe, NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1") == here


def test_a_recipe_of_the_predecessor_runs_unchanged(tmp_path: Path, render_recipe) -> None:
    features = {"noise_threshold": 0.05, "defocus": 0.2, "resolution_percentage": 25}
    recipe = write_recipe(tmp_path, features, {"density": 0.2}, "tem_amorphous", "vacuum")
    _, folder = render_recipe(recipe=recipe)
    real, ids = read_png(folder / "real.png"), read_png(folder / "instances.png")
    assert real.shape == (240, 240)
    assert np.median(real[ids == 0]) == 255
    assert real[ids > 0].mean() < 180
