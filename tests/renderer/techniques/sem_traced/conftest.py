"""Staged scenes of beads under the electron microscope, without recipe and physics."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.prototypes.feature import FeatureValue
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.geometry.prototypes import build_mesh
from synth_renderer.labels.fragments import VisibleSurface
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import StagedScene, StagedTechnique
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF

Beads = NDArray[np.float64]
"""x, y, z, diameter of each bead, (N, 4), scene units."""

SEM = "secondary_electron_microscope"


def bodies_of(beads: Beads) -> Bodies:
    count = len(beads)
    return Bodies(
        meshes=(build_mesh("sphere", 2),),
        mesh_index=np.zeros(count, dtype=np.int32),
        scales=np.repeat(beads[:, 3:], 3, axis=1),
        quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
        locations=beads[:, :3].copy(),
        is_sphere=np.ones(count, dtype=bool),
    )


def defaults(prototype: str, background: str) -> dict[str, FeatureValue]:
    declared = TECHNIQUES[prototype].features | MATERIALS[background].features
    return {name: feature.default for name, feature in declared.items()}


@pytest.fixture(scope="session")
def stage_beads() -> Callable[..., StagedScene]:
    """`stage_beads(beads, seed=0, **features)`: polystyrene beads on silicone."""

    def make(beads: Beads, seed: int = 0, **features: FeatureValue) -> StagedScene:
        values = defaults(SEM, "sem_patchy_silicone") | features
        technique, count = TECHNIQUE_OF[SEM], len(beads)
        return StagedScene(
            seed=seed,
            names=tuple(f"sphereBead.{index}" for index in range(count)),
            blueprints=("Bead",) * count,
            geometries=("sphere",) * count,
            materials=("sem_polystyrene",) * count,
            features={},
            bodies=bodies_of(beads),
            technique=StagedTechnique(
                "SEM",
                SEM,
                "sem_patchy_silicone",
                values,
                technique.build_camera(values),
                technique.build_volume(values),
            ),
        )

    return make


@pytest.fixture(scope="session")
def surface_of() -> Callable[[StagedScene], VisibleSurface]:
    """The label pass of a staged scene."""

    def make(scene: StagedScene) -> VisibleSurface:
        return find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera))

    return make


@pytest.fixture(scope="session")
def take_picture(surface_of: Callable[[StagedScene], VisibleSurface]) -> Callable[..., NDArray[np.uint8]]:
    """`take_picture(scene, present=None, in_camera=None)`: the real image, of all bodies by default."""

    def make(
        scene: StagedScene, present: NDArray[np.bool_] | None = None, in_camera: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint8]:
        every = np.ones(len(scene), dtype=bool)
        technique = TECHNIQUE_OF[scene.technique.prototype]
        made = technique.make_picture(
            scene,
            every if present is None else present,
            every if in_camera is None else in_camera,
            surface_of(scene),
            "cpu",
        )
        assert made.device == "cpu"
        return made.pixels

    return make
