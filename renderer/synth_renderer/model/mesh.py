"""The mesh type of rasteriser, tracer, physics and STL files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.centre_line import CentreLine


@dataclass(frozen=True)
class Mesh:
    """A closed triangle mesh in its own frame, scene units at scale 1; the surface of a cavity is part of it.

    vertices (V, 3) float64; normals (V, 3) float64, unit, smooth, outward; triangles (T, 3) int32, counter-clockwise
    seen from outside the matter. Volume and surface are the true body's, NaN where they depend on how it is stretched.
    """

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    volume: float = math.nan
    surface: float = math.nan
    density: NDArray[np.float64] | None = None
    """Relative density that a ray gains on entering at each triangle (T,); None is 1 everywhere.

    Parts within one another add up: one of density 3 in a body of density 1 has 2.
    """
    centre_line: CentreLine | None = None
    """Of fibres only."""
    walls: int = 0
    """How many of the last triangles are walls between parts of one body: they close the mesh, no STL file has them."""

    @cached_property
    def extents(self) -> NDArray[np.float64]:
        """Full extents (3,) along x, y and z."""
        return _extents(self.vertices)


@kernel
def _extents(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = vertices[0].copy(), vertices[0].copy()
    for vertex in vertices:
        for axis in range(3):
            low[axis], high[axis] = min(low[axis], vertex[axis]), max(high[axis], vertex[axis])
    extents: NDArray[np.float64] = high - low
    return extents
