"""Meta balls: one surface around all of them, cut into the parts that belong to each ball.

Ball i has the field f_i = 2 (1 - q)^3 for q < 1, else 0, with q = |x - c_i|^2 / R_i^2 in its own frame and R_i its
diameter times `REACH` (the field of Blender's meta elements of the form ball). The surface is where the sum of the
fields F is the threshold T. The part of ball i is where F >= T and f_i is the largest field; of equal ones the first.

The parts come from one lattice of cubes, each cut into six tetrahedra along its diagonal (marching tetrahedra; A. Doi
and A. Koide, IEICE Trans. E74 (1991) 214). In a tetrahedron every field counts as linear, so neighbouring parts meet
in the same walls; vertices of the surface are then moved to F = T. All arithmetic is + - x / sqrt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

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
NEWTON_STEPS: Final = 20
"""Most steps that move a vertex to the surface."""
TOLERANCE: Final = 1e-9
"""Deviation of the field at a vertex, of the threshold, at which they end."""

OUTSIDE: Final = -1
"""Number of the neighbour behind a corner of the surface."""
_CUT, _RIM = -1, -2
"""Keys of corners on no edge of the lattice: within a face, and where a wall ends at the surface."""


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


def find_neighbours(balls: MetaBalls) -> list[NDArray[np.int64]]:
    """Return for each ball the numbers of the others whose field overlaps its own, ascending.

    Within three edges of the lattice counts as overlap, so that all points of a cube know the same fields.
    """
    reaches = REACH * balls.diameters.max(axis=1) + 1.5 * balls.compute_lattice_edge()
    count, pairs = _list_neighbours(balls.centres, reaches)
    return np.split(pairs, np.cumsum(count))[:-1]


@kernel
def _list_neighbours(
    centres: NDArray[np.float64], reaches: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many neighbours each ball (N,) has, and their numbers, one ball after another."""
    balls = len(centres)
    count, pairs, used = np.zeros(balls, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    for i in range(balls):
        for j in range(balls):
            x, y, z = centres[i, 0] - centres[j, 0], centres[i, 1] - centres[j, 1], centres[i, 2] - centres[j, 2]
            reach = reaches[i] + reaches[j]
            if i == j or x * x + y * y + z * z >= reach * reach:
                continue
            if used == len(pairs):
                pairs = np.concatenate((pairs, np.empty_like(pairs)))
            pairs[used] = j
            used += 1
            count[i] += 1
    return count, pairs[:used]


def build_part(balls: MetaBalls, frames: NDArray[np.float64], ball: int, neighbours: NDArray[np.int64]) -> Mesh | None:
    """Return the closed mesh of one ball's part in the ball's frame, scene units; None if no point belongs to it.

    `frames` are those of `compute_frames`, `neighbours` those of `find_neighbours`. The last triangles are the walls
    to the neighbours. The volume is that of the part, the surface that of the part without its walls.
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
    corners, keys, behind, faces = _march_tetrahedra(centres, near, own, balls.threshold, farthest * farthest, edge,
                                                     first, last)  # fmt: skip
    if not len(faces):
        return None
    settled = (behind == OUTSIDE) | (keys == _RIM)
    points, chosen_corners, triangles = _merge_corners(corners, keys, behind, faces)
    behind, settled = behind[chosen_corners], settled[chosen_corners]
    normals = _settle_vertices(points, behind, settled, centres, near, own, balls.threshold, edge)
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
def _fill_layer(
    fields: NDArray[np.float64],
    totals: NDArray[np.float64],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    own: int,
    least: float,
    edge: float,
    first: NDArray[np.int64],
    level: int,
) -> None:
    """Write the fields of J balls and their sum at one level of the lattice, fields (Y, X, J) and totals (Y, X).

    Points where ball `own` has a scaled distance above `least` from its centre are left out: their total is NaN.
    """
    z = level * edge
    for row in range(fields.shape[0]):
        y = (first[1] + row) * edge
        for column in range(fields.shape[1]):
            x = (first[0] + column) * edge
            if _compute_square(frames[own], x - centres[own, 0], y - centres[own, 1], z - centres[own, 2]) > least:
                totals[row, column] = np.nan
                continue
            total = 0.0
            for j in range(len(centres)):
                rest = 1.0 - _compute_square(frames[j], x - centres[j, 0], y - centres[j, 1], z - centres[j, 2])
                field = 2.0 * rest * rest * rest if rest > 0.0 else 0.0
                fields[row, column, j] = field
                total += field
            totals[row, column] = total


@numba.njit(cache=True, inline="always")
def _compute_square(frame: NDArray[np.float64], x: float, y: float, z: float) -> float:
    """Return q of a ball with its `frame` (3, 3) at (x, y, z) from its centre."""
    u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
    v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
    w = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
    return float(u * u + v * v + w * w)


@kernel
def _march_tetrahedra(
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    own: int,
    threshold: float,
    least: float,
    edge: float,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return corners (C, 3), their keys (C,), the neighbour behind (C,), and faces (T, 3) of ball `own`'s part.

    Of J balls, centres (J, 3) and frames (J, 3, 3). `first` and `last` (3,) bound the lattice, `least` is the scaled
    square distance from the ball's centre within which its part lies. Corners of one key are the same point of an edge.
    """
    balls = len(centres)
    columns, rows = last[0] - first[0] + 1, last[1] - first[1] + 1
    below, above = np.empty((rows, columns, balls)), np.empty((rows, columns, balls))
    sums_below, sums_above = np.empty((rows, columns)), np.empty((rows, columns))
    points, keys = np.empty((1024, 3)), np.empty(1024, dtype=np.int64)
    behind, triangles = np.empty(1024, dtype=np.int64), np.empty((2048, 3), dtype=np.int64)
    corners, faces = 0, 0
    cube, sums = np.empty((8, balls)), np.empty(8)
    rivals = np.empty(balls, dtype=np.int64)
    # A polygon of a tetrahedron has up to 4 corners, and one more for each ball that cuts it.
    polygon, polygon_keys = np.empty((balls + 5, 4)), np.empty(balls + 5, dtype=np.int64)
    margins, total, places = np.empty((balls, 4)), np.empty(4), np.empty((4, 3))
    corner_keys = np.empty(4, dtype=np.int64)
    paths = np.array([[0, 1, 3, 7], [0, 1, 5, 7], [0, 2, 3, 7], [0, 2, 6, 7], [0, 4, 5, 7], [0, 4, 6, 7]])
    _fill_layer(above, sums_above, centres, frames, own, least, edge, first, first[2])
    for level in range(first[2], last[2]):
        below, above, sums_below, sums_above = above, below, sums_above, sums_below
        _fill_layer(above, sums_above, centres, frames, own, least, edge, first, level + 1)
        for row in range(rows - 1):
            for column in range(columns - 1):
                for corner in range(8):
                    source = sums_above if corner > 3 else sums_below
                    sums[corner] = source[row + ((corner >> 1) & 1), column + (corner & 1)]
                if not sums.max() >= threshold:  # also where a point is left out
                    continue
                for corner in range(8):
                    source = above if corner > 3 else below
                    cube[corner] = source[row + ((corner >> 1) & 1), column + (corner & 1)]
                count = _list_rivals(cube, own, rivals)
                if count < 0 or (count == 0 and sums.min() >= threshold):
                    continue
                for path in paths:
                    for n in range(4):
                        x, y, z = path[n] & 1, (path[n] >> 1) & 1, path[n] >> 2
                        total[n] = sums[path[n]] - threshold
                        for k in range(count):
                            margins[k, n] = cube[path[n], own] - cube[path[n], rivals[k]]
                        places[n, 0] = (first[0] + column + x) * edge
                        places[n, 1] = (first[1] + row + y) * edge
                        places[n, 2] = (level + z) * edge
                        corner_keys[n] = ((level - first[2] + z) * rows + row + y) * columns + column + x
                    for rival in range(-1, count):
                        size = _cut_face(margins, total, own, rivals, count, rival, corner_keys, path, polygon,
                                         polygon_keys)  # fmt: skip
                        if size < 3:
                            continue
                        while corners + size > len(points):
                            points = np.concatenate((points, np.empty_like(points)))
                            keys = np.concatenate((keys, np.empty_like(keys)))
                            behind = np.concatenate((behind, np.empty_like(behind)))
                        while faces + size > len(triangles):
                            triangles = np.concatenate((triangles, np.empty_like(triangles)))
                        slope = total if rival < 0 else margins[rival]
                        faces = _add_face(slope, places, polygon, size, points, corners, triangles, faces)
                        for n in range(size):
                            keys[corners + n] = polygon_keys[n]
                            behind[corners + n] = rivals[rival] if rival >= 0 else OUTSIDE
                        corners += size
    return points[:corners], keys[:corners], behind[:corners], triangles[:faces]


@kernel
def _list_rivals(cube: NDArray[np.float64], own: int, rivals: NDArray[np.int64]) -> int:
    """Write the balls whose field is not below that of `own` at all corners of a cube, (8, J); return their number.

    Return -1 if one of them is the owner of all corners.
    """
    count = 0
    for j in range(cube.shape[1]):
        larger, smaller = 0, 0
        for corner in range(8):
            smaller += cube[corner, j] < cube[corner, own]
            larger += cube[corner, j] > cube[corner, own] or (cube[corner, j] == cube[corner, own] and j < own)
        if larger == 8:
            return -1
        if j != own and smaller < 8:
            rivals[count] = j
            count += 1
    return count


@kernel
def _cut_face(
    margins: NDArray[np.float64],
    total: NDArray[np.float64],
    own: int,
    rivals: NDArray[np.int64],
    count: int,
    rival: int,
    corner_keys: NDArray[np.int64],
    path: NDArray[np.int64],
    polygon: NDArray[np.float64],
    keys: NDArray[np.int64],
) -> int:
    """Write the part's face towards a rival within a tetrahedron to `polygon` and `keys`; return its corners.

    `margins` (K, 4) are the own field less that of each rival, `total` (4,) is the sum of all less the threshold, at
    the corners; `rival` -1 is the outside. Corners of the polygon are barycentric coordinates (4,). A key is that of a
    lattice edge, negative for no edge.
    """
    if rival >= 0:
        size = _slice_tetrahedron(margins[rival], own < rivals[rival], corner_keys, path, polygon, keys)
    else:
        size = _slice_tetrahedron(total, True, corner_keys, path, polygon, keys)
    for k in range(count):
        if size > 0 and k != rival and margins[k].min() <= 0.0:
            size = _clip_polygon(polygon, keys, size, margins[k], own < rivals[k], _CUT)
    if rival >= 0 and size > 0:
        size = _clip_polygon(polygon, keys, size, total, True, _RIM)
    return size


@kernel
def _slice_tetrahedron(
    values: NDArray[np.float64],
    zero_counts: bool,
    corner_keys: NDArray[np.int64],
    path: NDArray[np.int64],
    polygon: NDArray[np.float64],
    keys: NDArray[np.int64],
) -> int:
    """Write the polygon where `values` (4,), linear in a tetrahedron, pass through 0; return its corners, 0 to 4.

    Inside is above 0, and 0 itself if `zero_counts`. A corner's key is that of its edge of the lattice: 8 x the key of
    the edge's lower point + its direction.
    """
    inside, outside = np.empty(4, dtype=np.int64), np.empty(4, dtype=np.int64)
    within, without = 0, 0
    for n in range(4):
        if values[n] > 0.0 or (zero_counts and values[n] == 0.0):
            inside[within] = n
            within += 1
        else:
            outside[without] = n
            without += 1
    count = 0
    for i in range(within):
        for k in range(without):
            # Around the quadrilateral of two corners inside and two outside.
            o = outside[without - 1 - k] if i == 1 and within == 2 else outside[k]
            a, b = min(inside[i], o), max(inside[i], o)
            t = values[a] / (values[a] - values[b])
            polygon[count] = 0.0
            polygon[count, a], polygon[count, b] = 1.0 - t, t
            keys[count] = 8 * corner_keys[a] + (path[b] ^ path[a])
            count += 1
    return count


@kernel
def _clip_polygon(
    polygon: NDArray[np.float64],
    keys: NDArray[np.int64],
    count: int,
    values: NDArray[np.float64],
    zero_counts: bool,
    mark: int,
) -> int:
    """Keep the part of a polygon where `values` (4,) are inside, in place; return its corners.

    New corners have the key `mark` (I. E. Sutherland and G. W. Hodgman, Comm. ACM 17 (1974) 32).
    """
    before, keys_before = polygon[:count].copy(), keys[:count].copy()
    kept = 0
    for n in range(count):
        here, after = _evaluate(before[n], values), _evaluate(before[(n + 1) % count], values)
        is_in = here > 0.0 or (zero_counts and here == 0.0)
        is_next_in = after > 0.0 or (zero_counts and after == 0.0)
        if is_in:
            polygon[kept], keys[kept] = before[n], mark if here == 0.0 else keys_before[n]
            kept += 1
        if is_in != is_next_in:
            t = here / (here - after)
            polygon[kept] = before[n] + t * (before[(n + 1) % count] - before[n])
            keys[kept] = mark
            kept += 1
    return kept


@numba.njit(cache=True, inline="always")
def _evaluate(weights: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    return float(weights[0] * values[0] + weights[1] * values[1] + weights[2] * values[2] + weights[3] * values[3])


@kernel
def _add_face(
    values: NDArray[np.float64],
    places: NDArray[np.float64],
    polygon: NDArray[np.float64],
    count: int,
    points: NDArray[np.float64],
    corners: int,
    triangles: NDArray[np.int64],
    faces: int,
) -> int:
    """Write the corners of a polygon to `points` and its triangles to `triangles`; return the number of triangles.

    The triangles face towards lower `values` (4,), which are 0 on the polygon. Two corners of a tetrahedron with
    consecutive numbers differ along one axis: the path goes from a cube's lowest corner to its highest.
    """
    slope = np.zeros(3)
    for n in range(3):
        for axis in range(3):
            if places[n + 1, axis] != places[n, axis]:
                slope[axis] = values[n + 1] - values[n]
    for n in range(count):
        for axis in range(3):
            points[corners + n, axis] = _evaluate(polygon[n], places[:, axis])
    for n in range(1, count - 1):
        a, b, c = points[corners], points[corners + n], points[corners + n + 1]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        rise = (uy * vz - uz * vy) * slope[0] + (uz * vx - ux * vz) * slope[1] + (ux * vy - uy * vx) * slope[2]
        if rise == 0.0:
            continue
        triangles[faces, 0] = corners
        triangles[faces, 1] = corners + n + (1 if rise > 0.0 else 0)
        triangles[faces, 2] = corners + n + (0 if rise > 0.0 else 1)
        faces += 1
    return faces


@kernel
def _settle_vertices(
    points: NDArray[np.float64],
    behind: NDArray[np.int64],
    settled: NDArray[np.bool_],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    own: int,
    threshold: float,
    edge: float,
) -> NDArray[np.float64]:
    """Move the points `settled` (V,) of points (V, 3) to F = T, in place, by Newton's method; return normals (V, 3).

    Normals are unit and outward: against the gradient of F, on a wall against that of the difference of the two fields.
    """
    normals, gradient = np.empty_like(points), np.empty(3)
    for n in range(len(points)):
        if settled[n]:
            for _ in range(NEWTON_STEPS):
                missing = threshold - _sum_fields(points[n], centres, frames, gradient)
                if abs(missing) < TOLERANCE * threshold:
                    break
                if missing > 0.5 * threshold:  # too flat here: Newton's method would step over the surface
                    gradient[:] = centres[own] - points[n]
                    missing = np.inf
                _step_along(points[n], gradient, missing, 0.2 * edge)
        if behind[n] == OUTSIDE:
            _sum_fields(points[n], centres, frames, gradient)
        else:
            gradient[:] = 0.0
            _add_gradient(points[n], centres[own], frames[own], 1.0, gradient)
            _add_gradient(points[n], centres[behind[n]], frames[behind[n]], -1.0, gradient)
        length = math.sqrt(gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2])
        for axis in range(3):
            normals[n, axis] = -gradient[axis] / length if length > 0.0 else (1.0 if axis == 2 else 0.0)
    return normals


@kernel
def _sum_fields(
    point: NDArray[np.float64],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> float:
    """Return F at a point (3,) and write its gradient (3,)."""
    total = 0.0
    gradient[:] = 0.0
    for j in range(len(centres)):
        total += _add_gradient(point, centres[j], frames[j], 1.0, gradient)
    return total


@kernel
def _add_gradient(
    point: NDArray[np.float64],
    centre: NDArray[np.float64],
    frame: NDArray[np.float64],
    factor: float,
    gradient: NDArray[np.float64],
) -> float:
    """Return a ball's field at a point (3,) and add `factor` times its gradient to `gradient` (3,).

    With u = frame (x - c) the gradient is -12 (1 - |u|^2)^2 times the transposed frame times u.
    """
    x, y, z = point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]
    u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
    v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
    w = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
    rest = 1.0 - (u * u + v * v + w * w)
    if rest <= 0.0:
        return 0.0
    slope = -12.0 * factor * rest * rest
    for axis in range(3):
        gradient[axis] += slope * (frame[0, axis] * u + frame[1, axis] * v + frame[2, axis] * w)
    return float(2.0 * rest * rest * rest)


@kernel
def _step_along(point: NDArray[np.float64], gradient: NDArray[np.float64], missing: float, longest: float) -> None:
    """Move a point (3,) along the gradient by the way that adds `missing` to a linear field, at most `longest`."""
    square = gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2]
    if square == 0.0:
        return
    share, limit = missing / square, longest / math.sqrt(square)
    share = min(max(share, -limit), limit)
    for axis in range(3):
        point[axis] += share * gradient[axis]


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
