"""Staged scenes of beads under the transmission electron microscope, without recipe and physics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.prototypes.feature import Feature, FeatureValue
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.geometry.prototypes import build_mesh
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import FeatureColumn, StagedScene, StagedTechnique
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF

TEM = "transmission_electron_microscope"
SMALL = {"resolution_x": 128, "resolution_y": 128}


def defaults(*declared: dict[str, Feature]) -> dict[str, FeatureValue]:
    return {name: feature.default for features in declared for name, feature in features.items()}


@pytest.fixture(scope="session")
def stage_beads() -> Callable[..., StagedScene]:
    """`stage_beads(beads, particles={}, material=…, background=…, seed=0, **features)`; beads (N, 4): x, y, z, size."""

    def make(
        beads: list[list[float]],
        particles: dict[str, float] | None = None,
        material: str = "tem_particle",
        background: str = "vacuum",
        seed: int = 0,
        **features: FeatureValue,
    ) -> StagedScene:
        places, count = np.array(beads, dtype=np.float64).reshape(-1, 4), len(beads)
        values = defaults(TECHNIQUES[TEM].features, MATERIALS[background].features) | SMALL | features
        technique = TECHNIQUE_OF[TEM]
        substance = defaults(MATERIALS[material].features) | (particles or {})
        return StagedScene(
            seed=seed,
            names=tuple(f"sphereBead.{index}" for index in range(count)),
            blueprints=("Bead",) * count,
            geometries=("sphere",) * count,
            materials=(material,) * count,
            features={
                name: FeatureColumn(np.full(count, value), np.ones(count, dtype=bool))
                for name, value in substance.items()
            },
            bodies=Bodies(
                meshes=(build_mesh("sphere", 4),),
                mesh_index=np.zeros(count, dtype=np.int32),
                scales=np.repeat(places[:, 3:], 3, axis=1),
                quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
                locations=places[:, :3].copy(),
                is_sphere=np.ones(count, dtype=bool),
            ),
            technique=StagedTechnique(
                "TEM", TEM, background, values, technique.build_camera(values), technique.build_volume(values)
            ),
        )

    return make


@pytest.fixture(scope="session")
def take_picture() -> Callable[..., NDArray[np.uint8]]:
    """`take_picture(scene, present=None, in_camera=None)`: the real image, of all bodies by default."""

    def make(
        scene: StagedScene, present: NDArray[np.bool_] | None = None, in_camera: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint8]:
        every = np.ones(len(scene), dtype=bool)
        surface = find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera))
        made = TECHNIQUE_OF[TEM].make_picture(
            scene, every if present is None else present, every if in_camera is None else in_camera, surface, "cpu"
        )
        return made.pixels

    return make
