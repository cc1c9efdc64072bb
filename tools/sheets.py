"""Contact sheets and strips of features for the pages of docs/: `sem_sheets.py`, `fibre_sheets.py`, `tem_sheets.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.prototypes.geometries import SHAPES
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES as INSTRUMENTS
from synth_api.recipe.parsing import parse_recipe
from synth_dataset.documents.pictures import write_webp
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.scene.staging import stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch
from synth_renderer.techniques.registry import TECHNIQUES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.recipe.model import Recipe

    Grey = NDArray[np.uint8]
    Strip = tuple[str, tuple[Any, ...], dict[str, Any]]
    """Feature that changes along a strip, its values, and other values of the scene that make it visible."""

SEEDS, COLUMNS, SIDE = 24, 6, 256
PICTURE = 160
"""Side of a picture in a strip, in pixels."""
HEADING = 18
DEPOSIT = ("layout", "coverage", "orientation", "new_cluster_share", "piles", "pile_width", "rolling", "lattice")
DEPOSIT += (
    "pitch",
    "jitter",
    "vacancies",
    "cluster_size",
    "second_layer",
    "crystals",
    "begin_in_middle",
    "cut_by_frame",
)


@dataclass(frozen=True)
class Sheets:
    """What the pictures of a measurement technique show."""

    name: str
    """Of the instrument in the recipe."""
    technique: str
    background: str
    """Material of the background."""
    particle: str
    """Material of the particles."""
    quiet: dict[str, Any]
    """Features of an instrument with little noise."""
    strips: tuple[Strip, ...]
    drawn: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Feature that each particle draws -> its variability."""

    def build_recipe(self, changes: dict[str, Any]) -> Recipe:
        """Return a recipe with these values; default: clusters of particles under the quiet instrument.

        `size` is a share of the width of the frame.
        """
        values = {"layout": "clusters", "coverage": 0.4, "minimum_coverage": 0.0, **changes}
        geometry, length = values.pop("geometry"), values.pop("size") * PICTURE / 10
        deposit = {name: values.pop(name) for name in (*DEPOSIT, "minimum_coverage") if name in values}
        known = INSTRUMENTS[self.technique].features | MATERIALS[self.background].features
        instrument = {name: value for name, value in values.items() if name in known}
        particle = {name: value for name, value in values.items() if name not in known}
        blueprints = {
            "measurement_techniques": {
                self.name: {
                    "measurement_technique_prototype_name": self.technique,
                    "background_material_prototype_name": self.background,
                    "features": {"resolution_x": PICTURE, "resolution_y": PICTURE, **self.quiet, **instrument},
                }
            },
            "particles": {
                "P": {
                    "geometry_prototype_name": geometry,
                    "material_prototype_name": self.particle,
                    "number": 400,
                    "features": {"dimensions": scale_dimensions(geometry, length), **particle},
                }
            },
        }
        steps = [
            {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"},
            {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
            *(
                {
                    "_target_": "$builtins.TriggerFeatureUpdate",
                    "affected_set_name": "AllParticles",
                    "feature_variability_name": name,
                }
                for name in self.drawn
            ),
            {"_target_": "$builtins.DepositOnSubstrate", "affected_set_name": "AllParticles", **deposit},
        ]
        return parse_recipe(
            {
                "initial_runtime_state": {"seed": 3},
                "blueprints": blueprints,
                "process_conditions": {
                    "feature_variabilities": {
                        name: {"feature_name": name, "variability": drawn} for name, drawn in self.drawn.items()
                    }
                },
                "synth_chain": {"feature_generation_steps": steps, "rendering_steps": []},
            }
        )

    def draw_strip(self, name: str, values: tuple[Any, ...], scene: dict[str, Any]) -> Grey:
        """Return a row of five pictures below the name and the values of the feature, (H, W) uint8."""
        pictures = np.full((PICTURE, 5 * PICTURE), 255, dtype=np.uint8)
        for place, value in enumerate(values):
            picture = render_picture(self.build_recipe({**scene, name: value}))
            pictures[:, place * PICTURE : (place + 1) * PICTURE] = picture
        heading = np.full((HEADING, pictures.shape[1]), 255, dtype=np.uint8)
        words = f"{name}: {', '.join(str(value) for value in values)}"
        cv2.putText(heading, words, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0,), 1, cv2.LINE_AA)
        return np.vstack([heading, pictures])

    def draw_strips(self) -> Grey:
        """Return all strips in two columns."""
        drawn = [self.draw_strip(*row) for row in self.strips]
        drawn += [np.full_like(drawn[0], 255)] * (len(drawn) % 2)
        gap = np.full((len(drawn[0]), 12), 255, dtype=np.uint8)
        return np.vstack([np.hstack([left, gap, right]) for left, right in zip(drawn[::2], drawn[1::2], strict=True)])


def render_picture(recipe: Recipe) -> Grey:
    """Return the real image of a run, (H, W) uint8, without quality gates."""
    world = World(recipe)
    run_generation_steps(world, Stopwatch())
    scene = stage_scene(world)
    every = np.ones(len(scene), dtype=bool)
    surface = find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera))
    return TECHNIQUES[scene.technique.prototype].make_picture(scene, every, every, surface, "cpu").pixels


def scale_dimensions(geometry: str, length: float) -> list[float]:
    """Return dimensions in the proportions of the prototype, the shortest one `length`."""
    features = SHAPES[geometry].features
    factors = (1.0, features["width"].default, features["height"].default)
    proportions = [extent * factor for extent, factor in zip(features["dimensions"].default, factors, strict=True)]
    return [length * extent / min(proportions) for extent in proportions]


def draw_contact_sheet(path: str) -> Grey:
    """Return 24 seeds of a recipe file in a grid."""
    source = read_recipe(Path(path))
    recipes = (
        parse_recipe(resolve(compose_recipe(source, [f"initial_runtime_state.seed={seed}"]))) for seed in range(SEEDS)
    )
    small = [cv2.resize(render_picture(recipe), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for recipe in recipes]
    lines = [np.hstack(small[first : first + COLUMNS]) for first in range(0, SEEDS, COLUMNS)]
    return np.vstack(lines).astype(np.uint8)


def write_sheet(path: Path, sheet: Grey) -> None:
    """Write a sheet (H, W) as WebP."""
    write_webp(path, np.repeat(sheet[..., None], 3, axis=2))
