"""Meta balls: one surface around all of them, cut into the parts that belong to each ball.

Ball i has the field f_i = 2 (1 - q)^3 for q < 1, else 0, with q = |x - c_i|^2 / R_i^2 in its own frame and R_i its
diameter times `REACH` (the field of Blender's meta elements of the form ball). The surface is where the sum of the
fields F is the threshold T. The part of ball i is where F >= T and f_i is the largest field; of equal ones the first.

The parts come from one lattice of cubes by marching tetrahedra, so neighbouring parts meet in the same walls; vertices
of the surface are then moved to F = T. All arithmetic is + - x / sqrt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.ball_fields import OUTSIDE, settle_vertices
from synth_renderer.geometry.marching_tetrahedra import RIM, march_tetrahedra
from synth_renderer.geometry.shapes import measure_mesh
from synth_renderer.model.mesh import Mesh
from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUSED_GEOMETRY: Final = "meta_ball_sphere"
"""The geometry prototype whose particles fuse with the others of their blueprint."""
REACH: Final = 0.897
"""Radius at which the field of a ball ends, over its diameter."""
PEAK: Final = 2.0
"""Field in the middle of a ball."""
CUBES_PER_BALL: Final = 12
"""Fewest cubes of the lattice across the smallest ball: a coarser lattice would lose it."""


@dataclass(frozen=True)
class MetaBalls:
    """N balls that fuse; world frame, scene units."""

    centres: NDArray[np.float64]
    """(N, 3)."""
    quaternions: NDArray[np.float64]
    """(N, 4) w x y z, unit."""
    diameters: NDArray[np.float64]
    """Along the axes of each ball, (N, 3), above 0."""
    threshold: float
    """T, above 0 and below `PEAK`."""
    edge: float
    """Longest edge of a cube of the lattice."""

    def compute_frames(self) -> NDArray[np.float64]:
        """Return the matrices (N, 3, 3) that take world vectors to multiples of R along the axes of each ball."""
        turns = np.array([rotation_matrix(quaternion) for quaternion in self.quaternions]).reshape(-1, 3, 3)
        return np.ascontiguousarray(turns.transpose(0, 2, 1) / (REACH * self.diameters)[:, :, None])

    def compute_lattice_edge(self) -> float:
        """Return the edge of the lattice's cubes."""
        return min(self.edge, float(self.diameters.min()) / CUBES_PER_BALL)


def compute_lone_diameter(threshold: float) -> float:
    """Return the diameter of the surface around a lone ball over the ball's diameter, rounded to float32.

    2 (1 - q)^3 = T at q = 1 - (T / 2)^(1 / 3).
    """
    return float(np.float32(2 * REACH * math.sqrt(1 - float(np.float32((threshold / PEAK) ** (1 / 3))))))


def build_part(balls: MetaBalls, frames: NDArray[np.float64], ball: int, neighbours: NDArray[np.int64]) -> Mesh | None:
    """Return the closed mesh of one ball's part in the ball's frame, scene units; None if no point belongs to it.

    `frames` are those of `compute_frames`, `neighbours` the numbers of the balls whose field can reach the part,
    ascending. The last triangles are the walls to the neighbours. The volume is that of the part, the surface that of
    the part without its walls.
    """
    chosen = np.sort(np.append(neighbours, ball))
    own = int(np.searchsorted(chosen, ball))
    centres, near, edge = balls.centres[chosen], frames[chosen], balls.compute_lattice_edge()
    extent = _compute_extent(balls.threshold, len(chosen))
    half = REACH * float(balls.diameters[ball].max()) * extent + edge
    first = np.floor((balls.centres[ball] - half) / edge).astype(np.int64)
    last = np.ceil((balls.centres[ball] + half) / edge).astype(np.int64)
    # All corners of a cube that holds a point of the part lie within its diagonal, less than 2 edges.
    farthest = extent + 2 * edge / (REACH * float(balls.diameters[ball].min()))
    corners, keys, behind, faces = march_tetrahedra(centres, near, own, balls.threshold, farthest * farthest, edge,
                                                    first, last)  # fmt: skip
    if not len(faces):
        return None
    settled = (behind == OUTSIDE) | (keys == RIM)
    points, chosen_corners, triangles = _merge_corners(corners, keys, behind, faces)
    behind, settled = behind[chosen_corners], settled[chosen_corners]
    normals = settle_vertices(points, behind, settled, centres, near, own, balls.threshold, edge)
    turn = rotation_matrix(balls.quaternions[ball])
    vertices, normals = _turn_back(points, turn, balls.centres[ball]), _turn_back(normals, turn, np.zeros(3))
    return _order_triangles(vertices, normals, triangles, behind)


def _compute_extent(threshold: float, count: int) -> float:
    """Return the distance over R within which a ball's part lies among `count` fields: its field is T / count or more.

    The cube root is rounded to float32, which moves the distance by less than the lattice's margin.
    """
    return math.sqrt(1 - float(np.float32((threshold / (PEAK * count)) ** (1 / 3))))


def _merge_corners(
    corners: NDArray[np.float64], keys: NDArray[np.int64], behind: NDArray[np.int64], faces: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32]]:
    """Return vertices (V, 3), the corner of each (V,) and triangles (T, 3): corners of one lattice edge are one vertex.

    Only corners of the surface are joined; walls keep a normal of their own at each.
    """
    is_shared = (behind == OUTSIDE) & (keys >= 0)
    names = np.where(is_shared, keys, -1 - np.arange(len(keys)))
    _, first, number = np.unique(names, return_index=True, return_inverse=True)
    return corners[first], first, number[faces].astype(np.int32)


def _order_triangles(
    vertices: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int32],
    behind: NDArray[np.int64],
) -> Mesh:
    """Return the mesh with the walls last."""
    is_wall = behind[triangles[:, 0]] != OUTSIDE
    surface, walls = triangles[~is_wall], triangles[is_wall]
    whole = np.concatenate([surface, walls])
    volume, _ = measure_mesh(vertices, whole)
    _, area = measure_mesh(vertices, surface)
    return Mesh(vertices, normals, whole, volume, area, walls=len(walls))


@kernel
def _turn_back(
    vectors: NDArray[np.float64], turn: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the transposed rotation `turn` (3, 3) times each of `vectors` (V, 3) less `origin` (3,)."""
    result = np.empty_like(vectors)
    for n in range(len(vectors)):
        x, y, z = vectors[n, 0] - origin[0], vectors[n, 1] - origin[1], vectors[n, 2] - origin[2]
        for axis in range(3):
            result[n, axis] = turn[0, axis] * x + turn[1, axis] * y + turn[2, axis] * z
    return result
