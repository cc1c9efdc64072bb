"""The geometry prototypes: one entry of the table each, with its mesh and its closed formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from synth_renderer.geometry.ellipsoid import ellipsoid_surface
from synth_renderer.geometry.quad_sphere import quad_sphere
from synth_renderer.model.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Size = Sequence[float] | NDArray[np.float64]

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class EllipsoidPrototype:
    """A quad sphere stretched to `extent`, its full size along x, y and z at scale 1, scene units."""

    extent: tuple[float, float, float]

    def mesh(self, subdivisions: int) -> Mesh:
        """Vertices on the exact ellipsoid; normals are its gradient there."""
        directions, triangles = quad_sphere(subdivisions)
        radii = np.array(self.extent) / 2
        return Mesh(_frozen(directions * radii), _frozen(_unit(directions / radii)), _frozen(triangles))

    def volume(self, size: Size) -> float:
        """Volume of the ellipsoid of full extents `size` (3,), cubed scene units."""
        return math.pi / 6 * float(size[0]) * float(size[1]) * float(size[2])

    def surface(self, size: Size) -> float:
        """Area of the ellipsoid of full extents `size` (3,), squared scene units."""
        return ellipsoid_surface(float(size[0]) / 2, float(size[1]) / 2, float(size[2]) / 2)

    def is_sphere(self, size: Size) -> bool:
        """Whether a body of full extents `size` (3,) is round."""
        return bool(size[0] == size[1] == size[2])


GEOMETRIES: Final = {
    "default": EllipsoidPrototype((1.0, 1.0, 1.0)),
    "sphere": EllipsoidPrototype((1.0, 1.0, 1.0)),
    "ellipsoid": EllipsoidPrototype((1.0, 1.0, 0.5)),
}


@lru_cache(maxsize=32)
def mesh(prototype: str, subdivisions: int | None) -> Mesh:
    """The prototype's mesh at scale 1, shared and read-only; None (a prototype without the feature) is level 0."""
    return GEOMETRIES[prototype].mesh(subdivisions or 0)


def volume(prototype: str, size_xyz: Size) -> float:
    """True volume of a body of full extents `size_xyz` (3,), cubed scene units, rounded to float32."""
    return float(np.float32(GEOMETRIES[prototype].volume(size_xyz)))


def surface(prototype: str, size_xyz: Size) -> float:
    """True surface of a body of full extents `size_xyz` (3,), squared scene units, rounded to float32."""
    return float(np.float32(GEOMETRIES[prototype].surface(size_xyz)))


def is_sphere(prototype: str, size_xyz: Size) -> bool:
    """Whether a body of full extents `size_xyz` (3,) is round."""
    return GEOMETRIES[prototype].is_sphere(size_xyz)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = vectors.T
    return np.asarray(vectors / np.sqrt(x * x + y * y + z * z)[:, None])


def _frozen(array: NDArray[Number]) -> NDArray[Number]:
    contiguous = np.ascontiguousarray(array)
    contiguous.flags.writeable = False
    return contiguous
