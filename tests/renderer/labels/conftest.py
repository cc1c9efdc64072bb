"""Scenes of the label tests, built without the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest

from synth_renderer.geometry import prototypes
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.camera import Camera
from synth_renderer.model.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class PlaceSpheres(Protocol):
    def __call__(
        self, locations: Sequence[Sequence[float]] | NDArray[np.float64], diameters: Sequence[float], level: int = 1
    ) -> Bodies: ...


class Heap(Protocol):
    def __call__(self, number: int, level: int = 1, seed: int = 0) -> Bodies: ...


@pytest.fixture(scope="session")
def place_spheres() -> PlaceSpheres:
    def place(
        locations: Sequence[Sequence[float]] | NDArray[np.float64], diameters: Sequence[float], level: int = 1
    ) -> Bodies:
        number = len(diameters)
        return Bodies(
            meshes=(prototypes.build_mesh("sphere", level),),
            mesh_index=np.zeros(number, dtype=np.int32),
            scales=np.repeat(np.array(diameters, dtype=np.float64).reshape(-1, 1), 3, axis=1),
            quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (number, 1)),
            locations=np.array(locations, dtype=np.float64).reshape(-1, 3),
            is_sphere=np.ones(number, dtype=bool),
        )

    return place


@pytest.fixture(scope="session")
def heap(place_spheres: PlaceSpheres) -> Heap:
    """Spheres of diameter 2 to 6 in a box a little wider than a view of 24 x 24, 0 <= z <= 12."""

    def make(number: int, level: int = 1, seed: int = 0) -> Bodies:
        generator = np.random.default_rng(seed)
        locations = generator.uniform((-14.0, -14.0, 0.0), (14.0, 14.0, 12.0), (number, 3))
        return place_spheres(locations, list(generator.uniform(2.0, 6.0, number)), level)

    return make


@pytest.fixture(scope="session")
def from_above() -> Camera:
    """10 pixels per scene unit, looking straight down."""
    return Camera(240, 240, (0.0, 0.0, 30.0), ortho_scale=24.0)


@pytest.fixture(scope="session")
def oblique() -> Camera:
    """A perspective camera that looks at the heap from the side, turned about all three axes, wider than high."""
    quaternion = np.array([0.8, 0.35, 0.2, 0.1])
    w, x, y, z = (float(part) for part in quaternion / np.sqrt((quaternion**2).sum()))
    forward = -np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    location = np.array([0.0, 0.0, 6.0]) - 34.0 * forward
    return Camera(240, 180, tuple(location.tolist()), (w, x, y, z), focal_length=40.0)


@pytest.fixture(scope="session")
def pebble() -> Mesh:
    """An irregular, not convex, closed mesh: a quad sphere with dents. Its normals are area-weighted."""
    ball = prototypes.build_mesh("sphere", 1)
    directions = ball.vertices * 2
    bump = (
        1 + 0.25 * np.sin(5 * directions[:, 0]) * np.cos(4 * directions[:, 1] + 1) + 0.1 * np.sin(7 * directions[:, 2])
    )
    vertices = ball.vertices * bump[:, None]
    corners = vertices[ball.triangles]
    facets = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, ball.triangles[:, k], facets)
    return Mesh(vertices, normals / np.linalg.norm(normals, axis=1, keepdims=True), ball.triangles)


@pytest.fixture(scope="session")
def stones(pebble: Mesh) -> Bodies:
    """Ellipsoids and pebbles, turned and stretched at random."""
    generator = np.random.default_rng(5)
    number = 24
    quaternions = generator.normal(size=(number, 4))
    return Bodies(
        meshes=(prototypes.build_mesh("ellipsoid", 2), pebble),
        mesh_index=(np.arange(number) % 2).astype(np.int32),
        scales=generator.uniform(2.0, 7.0, (number, 3)),
        quaternions=quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True),
        locations=generator.uniform((-12.0, -12.0, 0.0), (12.0, 12.0, 12.0), (number, 3)),
        is_sphere=np.zeros(number, dtype=bool),
    )
