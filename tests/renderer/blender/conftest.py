"""Staged scenes of mixed bodies under the default technique."""

from collections.abc import Callable

import numpy as np
import pytest

from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.geometry.prototypes import build_mesh
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import FeatureColumn, StagedScene, StagedTechnique
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF


@pytest.fixture(scope="session")
def photograph() -> Callable[..., StagedScene]:
    """`photograph(colors)`: spheres of diameter 0.6 in a row along x, one of each colour (N, 4), material plain."""

    def make(colors: list[tuple[float, float, float, float]]) -> StagedScene:
        count = len(colors)
        every = np.ones(count, dtype=bool)
        values = {name: feature.default for name, feature in TECHNIQUES["default"].features.items()} | {
            "resolution_percentage": 10,
            "cycles_samples": 4,
        }
        technique = TECHNIQUE_OF["default"]
        return StagedScene(
            seed=1,
            names=tuple(f"spherePea.{index}" for index in range(count)),
            blueprints=("Pea",) * count,
            geometries=("sphere",) * count,
            materials=("plain",) * count,
            features={
                "color": FeatureColumn(np.array(colors).reshape(count, 4), every),
                "roughness": FeatureColumn(np.full(count, 0.5), every),
            },
            bodies=Bodies(
                meshes=(build_mesh("sphere", 1),),
                mesh_index=np.zeros(count, dtype=np.int32),
                scales=np.full((count, 3), 0.6),
                quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
                locations=np.column_stack([np.arange(count) - (count - 1) / 2, np.zeros(count), np.zeros(count)]),
                is_sphere=every,
            ),
            technique=StagedTechnique(
                "Photo", "default", "vacuum", values, technique.build_camera(values), technique.build_volume(values)
            ),
        )

    return make
