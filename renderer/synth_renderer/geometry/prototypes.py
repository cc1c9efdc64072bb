"""Geometry prototypes of ellipsoids: one entry of the table each, with its mesh and its closed formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from synth_renderer.geometry.ellipsoid import compute_ellipsoid_surface
from synth_renderer.geometry.quad_sphere import build_quad_sphere
from synth_renderer.model.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Size = Sequence[float] | NDArray[np.float64]

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class EllipsoidPrototype:
    """A quad sphere stretched to an ellipsoid."""

    extent: tuple[float, float, float]
    """Full extents along x, y and z at scale 1, scene units."""

    def build_mesh(self, subdivisions: int) -> Mesh:
        """Return the mesh with vertices on the exact ellipsoid and the ellipsoid's normals; arrays are read-only."""
        directions, triangles = build_quad_sphere(subdivisions)
        radii = np.array(self.extent) / 2
        return Mesh(_freeze(directions * radii), _freeze(_normalise(directions / radii)), _freeze(triangles))

    def compute_volume(self, size: Size) -> float:
        """Return the volume of the ellipsoid of full extents `size` (3,), cubed scene units."""
        return math.pi / 6 * float(size[0]) * float(size[1]) * float(size[2])

    def compute_surface(self, size: Size) -> float:
        """Return the area of the ellipsoid of full extents `size` (3,), squared scene units."""
        return compute_ellipsoid_surface(float(size[0]) / 2, float(size[1]) / 2, float(size[2]) / 2)

    def is_sphere(self, size: Size) -> bool:
        """Return True if a body of full extents `size` (3,) is a sphere."""
        return bool(size[0] == size[1] == size[2])


GEOMETRIES: Final = {
    "default": EllipsoidPrototype((1.0, 1.0, 1.0)),
    "sphere": EllipsoidPrototype((1.0, 1.0, 1.0)),
    "ellipsoid": EllipsoidPrototype((1.0, 1.0, 0.5)),
    "meta_ball_sphere": EllipsoidPrototype((1.0, 1.0, 1.0)),
}
"""By name of the geometry prototype; a meta ball as it is placed and moved, before it fuses with others."""


@lru_cache(maxsize=32)
def build_mesh(prototype: str, subdivisions: int | None) -> Mesh:
    """Return the prototype's mesh at scale 1, shared and read-only; None (no such feature) is level 0."""
    return GEOMETRIES[prototype].build_mesh(subdivisions or 0)


def compute_volume(prototype: str, size_xyz: Size) -> float:
    """Return the true volume of a body of full extents `size_xyz` (3,), cubed scene units, rounded to float32."""
    return float(np.float32(GEOMETRIES[prototype].compute_volume(size_xyz)))


def compute_surface(prototype: str, size_xyz: Size) -> float:
    """Return the true surface of a body of full extents `size_xyz` (3,), squared scene units, rounded to float32."""
    return float(np.float32(GEOMETRIES[prototype].compute_surface(size_xyz)))


def is_sphere(prototype: str, size_xyz: Size) -> bool:
    """Return True if a body of full extents `size_xyz` (3,) is a sphere."""
    return GEOMETRIES[prototype].is_sphere(size_xyz)


def _normalise(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors (V, 3) of length 1."""
    x, y, z = vectors.T
    return np.asarray(vectors / np.sqrt(x * x + y * y + z * z)[:, None])


def _freeze(array: NDArray[Number]) -> NDArray[Number]:
    """Return the array, contiguous and read-only."""
    contiguous = np.ascontiguousarray(array)
    contiguous.flags.writeable = False
    return contiguous
