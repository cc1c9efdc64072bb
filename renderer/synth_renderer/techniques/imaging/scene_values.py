"""Random keys, sizes and features of a staged scene, as the signal models read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.geometry.meta_balls import FUSED_GEOMETRY
from synth_renderer.randomness.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene

    KeyOf = Callable[[str], np.uint64]
    """Feature name -> SplitMix64 key of its stream."""


def make_key(scene: StagedScene, feature: str) -> np.uint64:
    """Return the SplitMix64 key of an effect of the technique: the first word of the effect's stream."""
    return np.uint64(create_stream(scene, feature, scene.technique.name).draw_word())


def make_particle_keys(scene: StagedScene, feature: str) -> NDArray[np.uint64]:
    """Return the SplitMix64 key of a feature of each particle's surface, (N,)."""
    names = list_surface_names(scene)
    return np.array([create_stream(scene, feature, name).draw_word() for name in names], dtype=np.uint64)


def list_surface_names(scene: StagedScene) -> list[str]:
    """Return the name of each particle's surface (N,): its own, or that of the first of the balls that it fuses with.

    What is drawn for a surface is drawn by its name, so that it does not change where two balls meet.
    """
    first: dict[str, str] = {}
    return [
        first.setdefault(blueprint, name) if geometry == FUSED_GEOMETRY else name
        for name, geometry, blueprint in zip(scene.names, scene.geometries, scene.blueprints, strict=True)
    ]


def compute_sizes(scene: StagedScene) -> NDArray[np.float64]:
    """Return the mean extent of each body, (N,), scene units."""
    extents = np.array([mesh.extents for mesh in scene.bodies.meshes]).reshape(-1, 3)
    x, y, z = (scene.bodies.scales * extents[scene.bodies.mesh_index]).T
    return np.asarray((x + y + z) / 3)


def read_feature(scene: StagedScene, name: str, default: float) -> NDArray[np.float64]:
    """Return a number of each particle, (N,), `default` where its material does not have the feature."""
    column = scene.features.get(name)
    if column is None:
        return np.full(len(scene), default)
    return np.where(column.present, column.values, default)


def get_pixel_size(scene: StagedScene) -> float:
    """Return the width of a pixel, scene units; the camera is orthographic."""
    size = scene.technique.camera.pixel_size
    assert size is not None
    return size


def create_stream(scene: StagedScene, feature: str, object_name: str) -> Stream:
    """Return the stream of a feature of an object, technique or particle."""
    return Stream(scene.seed, scene.technique.prototype, object_name, feature)
