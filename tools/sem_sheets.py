"""The pictures of docs/sem.md: 24 seeds of sem_broad, and a strip per feature from 0 to its maximum.

python tools/sem_sheets.py [FOLDER]      docs/images unless told
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from synth_api.recipe.compose import compose, resolve
from synth_api.recipe.model import parse
from synth_api.recipe.source import read_recipe
from synth_dataset.pictures import write_webp
from synth_renderer.labels.rasterise import rasterise
from synth_renderer.labels.visible import visible
from synth_renderer.scene.stage import stage
from synth_renderer.scene.world import World
from synth_renderer.steps.generation import generate
from synth_renderer.stopwatch import Stopwatch
from synth_renderer.techniques.registry import TECHNIQUES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.recipe.model import Recipe

    Grey = NDArray[np.uint8]

SEEDS, COLUMNS, SIDE = 24, 6, 256
PICTURE = 160
"""Pixels of a picture in a strip."""
HEADING = 18

INSTRUMENT: dict[str, tuple[float, ...]] = {
    "edge_strength": (-0.5, 0, 0.5, 1, 2),
    "edge_exponent": (0.5, 0.8, 1.1, 1.3, 1.6),
    "detector_asymmetry": (0, 0.1, 0.2, 0.3, 0.45),
    "height_contrast": (0, 0.1, 0.2, 0.35, 0.6),
    "shadowing": (0, 0.5, 1, 1.6, 2.2),
    "crevice_shadowing": (0, 0.5, 1, 2, 4),
    "ridge_brightening": (0, 0.5, 1, 2, 4),
    "particle_contrast": (0, 0.1, 0.2, 0.4, 0.6),
    "particle_variation": (0, 0.05, 0.1, 0.15, 0.3),
    "halo": (-0.09, -0.04, 0, 0.04, 0.09),
    "streaks": (0, 0.05, 0.1, 0.15, 0.2),
    "clipping": (0, 0.01, 0.05, 0.1, 0.15),
    "beam_blur": (0, 0.4, 0.8, 1.2, 1.8),
    "defocus": (0, 0.5, 1, 2, 3),
    "drift": (0, 0.4, 0.8, 1.2, 1.5),
    "electrons": (20000, 2000, 500, 150, 60),
    "noise_correlation": (0, 0.2, 0.4, 0.6, 0.8),
    "line_noise": (0, 0.005, 0.01, 0.015, 0.05),
    "ground_gradient": (0, 0.05, 0.1, 0.15, 0.3),
    "ground_texture": (0, 0.01, 0.03, 0.05, 0.08),
    "ground_pores": (0, 0.05, 0.1, 0.2, 0.4),
    "ground_scratches": (0, 3, 8, 20, 50),
    "ground_terraces": (0, 2, 4, 8, 16),
    "ground_crumbs": (0, 0.02, 0.05, 0.1, 0.2),
    "info_bar": (0, 0.06, 0.08, 0.1, 0.15),
    "scale_bar": (0, 0.2, 0.3, 0.4, 0.6),
    "panel_letter": (0, 0.06, 0.09, 0.12, 0.2),
}
SEEN_WITH: dict[str, dict[str, float]] = {
    "noise_correlation": {"electrons": 100.0},
    "ground_crumbs": {"ground_crumb_size": 0.04},
}
"""What else must be on for a feature to be seen."""
PARTICLE: dict[str, tuple[float, ...]] = {
    "roughness_slope": (0, 0.1, 0.2, 0.35, 0.5),
    "core_size": (0, 0.2, 0.4, 0.6, 0.8),
    "irregularity": (0, 0.01, 0.03, 0.06, 0.1),
    "wrinkle_depth": (0, 0.02, 0.04, 0.08, 0.12),
    "pore_depth": (0, 0.02, 0.04, 0.08, 0.12),
    "step_depth": (0, 0.01, 0.02, 0.04, 0.06),
}
ROUND: dict[str, tuple[float, ...]] = {"edge_rounding": (0, 0.05, 0.12, 0.3, 0.6)}
FLUTED: dict[str, tuple[float, ...]] = {"flute_depth": (0, 0.03, 0.06, 0.1, 0.15)}


def picture(recipe: Recipe) -> Grey:
    """The real image alone, through no gate."""
    world = World(recipe)
    generate(world, Stopwatch())
    scene = stage(world)
    every = np.ones(len(scene), dtype=bool)
    surface = visible(rasterise(scene.bodies, scene.technique.camera))
    return TECHNIQUES[scene.technique.prototype].picture(scene, every, every, surface, "cpu").pixels


def scene_of(geometry: str, size: float, instrument: dict[str, Any], particle: dict[str, Any]) -> Recipe:
    """Particles of `size` parts of the frame in clusters under a quiet instrument."""
    quiet = {"resolution_x": PICTURE, "resolution_y": PICTURE, "electrons": 20000.0, "ground_level": 0.2}
    return parse(
        {
            "initial_runtime_state": {"seed": 3},
            "blueprints": {
                "measurement_techniques": {
                    "SEM": {
                        "measurement_technique_prototype_name": "scanning_electron_microscope",
                        "background_material_prototype_name": "sem_ground",
                        "features": {**quiet, **instrument},
                    }
                },
                "particles": {
                    "P": {
                        "geometry_prototype_name": geometry,
                        "material_prototype_name": "sem_particle",
                        "number": 60,
                        "features": {"dimensions": [size * PICTURE / 10] * 3, **particle},
                    }
                },
            },
            "synth_chain": {
                "feature_generation_steps": [
                    {
                        "_target_": "$builtins.InvokeBlueprints",
                        "affected_set_name": "AllMeasurementTechniqueBlueprints",
                    },
                    {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
                    {
                        "_target_": "$builtins.DepositOnSubstrate",
                        "affected_set_name": "AllParticles",
                        "layout": "clusters",
                        "coverage": 0.4,
                        "minimum_coverage": 0.0,
                    },
                ],
                "rendering_steps": [],
            },
        }
    )


def strip(name: str, values: tuple[float, ...], recipes: list[Recipe]) -> Grey:
    """One line of pictures below the feature's name and values."""
    pictures = np.hstack([picture(recipe) for recipe in recipes])
    heading = np.full((HEADING, pictures.shape[1]), 255, dtype=np.uint8)
    words = f"{name}: {', '.join(f'{value:g}' for value in values)}"
    cv2.putText(heading, words, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0,), 1, cv2.LINE_AA)
    return np.vstack([heading, pictures])


def strips() -> Grey:
    """All strips, two to a line."""
    made = [
        strip(
            name,
            values,
            [scene_of("rough_sphere", 0.22, {**SEEN_WITH.get(name, {}), name: value}, {}) for value in values],
        )
        for name, values in INSTRUMENT.items()
    ]
    for geometry, size, features in (("rough_sphere", 0.5, PARTICLE), ("cube", 0.4, ROUND), ("rod", 0.25, FLUTED)):
        made += [
            strip(name, values, [scene_of(geometry, size, {}, {name: value}) for value in values])
            for name, values in features.items()
        ]
    made += [np.full_like(made[0], 255)] * (len(made) % 2)
    gap = np.full((len(made[0]), 12), 255, dtype=np.uint8)
    return np.vstack([np.hstack([left, gap, right]) for left, right in zip(made[::2], made[1::2], strict=True)])


def contact_sheet() -> Grey:
    """24 seeds of sem_broad."""
    source = read_recipe(Path("recipes/sem_broad.yaml"))
    recipes = (parse(resolve(compose(source, [f"initial_runtime_state.seed={seed}"]))) for seed in range(SEEDS))
    small = [cv2.resize(picture(recipe), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for recipe in recipes]
    lines = [np.hstack(small[first : first + COLUMNS]) for first in range(0, SEEDS, COLUMNS)]
    return np.vstack(lines).astype(np.uint8)


def main(folder: str = "docs/images") -> None:
    """Write both sheets."""
    for name, sheet in (("sem_strips", strips()), ("sem_contact_sheet", contact_sheet())):
        write_webp(Path(folder) / f"{name}.webp", np.repeat(sheet[..., None], 3, axis=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
