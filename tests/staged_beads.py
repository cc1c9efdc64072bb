"""Staged scenes of beads under a signal model, without recipe and physics, and the pictures of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.geometry.prototypes import build_mesh
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import FeatureColumn, StagedScene, StagedTechnique
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import Feature, FeatureValue

SMALL = {"resolution_x": 128, "resolution_y": 128}


def list_defaults(*declared: Mapping[str, Feature]) -> dict[str, FeatureValue]:
    """Return the default of each feature."""
    return {name: feature.default for features in declared for name, feature in features.items()}


def stage_beads(
    beads: NDArray[np.float64] | Sequence[Sequence[float]],
    seed: int = 0,
    particles: Mapping[str, FeatureValue] | None = None,
    *,
    name: str,
    technique: str,
    material: str,
    background: str,
    subdivisions: int,
    **features: FeatureValue,
) -> StagedScene:
    """Return a scene of beads (N, 4): x, y, z, diameter. `particles` are features of the material; `name` that of the
    technique, as in the streams of its draws.
    """
    places, count = np.array(beads, dtype=np.float64).reshape(-1, 4), len(beads)
    values = list_defaults(TECHNIQUES[technique].features, MATERIALS[background].features) | SMALL | features
    made = TECHNIQUE_OF[technique]
    substance = list_defaults(MATERIALS[material].features) | dict(particles or {})
    return StagedScene(
        seed=seed,
        names=tuple(f"sphereBead.{index}" for index in range(count)),
        blueprints=("Bead",) * count,
        geometries=("sphere",) * count,
        materials=(material,) * count,
        features={
            name: FeatureColumn(np.full(count, value), np.ones(count, dtype=bool)) for name, value in substance.items()
        },
        bodies=Bodies(
            meshes=(build_mesh("sphere", subdivisions),),
            mesh_index=np.zeros(count, dtype=np.int32),
            scales=np.repeat(places[:, 3:], 3, axis=1),
            quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
            locations=places[:, :3].copy(),
            is_sphere=np.ones(count, dtype=bool),
        ),
        technique=StagedTechnique(
            name, technique, background, values, made.build_camera(values), made.build_volume(values)
        ),
    )


def take_picture(
    scene: StagedScene, present: NDArray[np.bool_] | None = None, in_camera: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Return the real image, of all bodies by default."""
    every = np.ones(len(scene), dtype=bool)
    surface = find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera))
    made = TECHNIQUE_OF[scene.technique.prototype].make_picture(
        scene, every if present is None else present, every if in_camera is None else in_camera, surface, "cpu"
    )
    return made.pixels
