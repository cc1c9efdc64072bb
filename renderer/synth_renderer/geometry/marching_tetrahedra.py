"""The part of one meta ball on a lattice of cubes, each cut into six tetrahedra along its diagonal.

Marching tetrahedra (A. Doi and A. Koide, IEICE Trans. E74 (1991) 214). In a tetrahedron every field counts as linear,
so neighbouring parts meet in the same walls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numba
import numpy as np

from synth_renderer.geometry.ball_fields import OUTSIDE, fill_layer
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CUT: Final = -1
"""Key of a corner within a face, on no edge of the lattice."""
RIM: Final = -2
"""Key of a corner where a wall ends at the surface."""


@kernel
def march_tetrahedra(
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
    fill_layer(above, sums_above, centres, frames, own, least, edge, first, first[2])
    for level in range(first[2], last[2]):
        below, above, sums_below, sums_above = above, below, sums_above, sums_below
        fill_layer(above, sums_above, centres, frames, own, least, edge, first, level + 1)
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
                        x, y, z = column + (path[n] & 1), row + ((path[n] >> 1) & 1), level - first[2] + (path[n] >> 2)
                        total[n] = sums[path[n]] - threshold
                        margins[:count, n] = cube[path[n], own] - cube[path[n], rivals[:count]]
                        places[n] = (first[0] + x) * edge, (first[1] + y) * edge, (first[2] + z) * edge
                        corner_keys[n] = (z * rows + y) * columns + x
                    for rival in range(-1, count):
                        size = _cut_face(margins, total, own, rivals, count, rival, corner_keys, path, polygon,
                                         polygon_keys)  # fmt: skip
                        if size < 3:
                            continue
                        points, triangles = _make_room(points, corners + size), _make_room(triangles, faces + size)
                        keys, behind = _make_room(keys, corners + size), _make_room(behind, corners + size)
                        slope = total if rival < 0 else margins[rival]
                        faces = _add_face(slope, places, polygon, size, points, corners, triangles, faces)
                        keys[corners : corners + size] = polygon_keys[:size]
                        behind[corners : corners + size] = rivals[rival] if rival >= 0 else OUTSIDE
                        corners += size
    return points[:corners], keys[:corners], behind[:corners], triangles[:faces]


@kernel
def _make_room(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """Return an array with the same first rows and at least so many."""
    while len(array) < rows:
        array = np.concatenate((array, np.empty_like(array)))
    return array


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
        size = _clip_polygon(polygon, keys, size, total, True, RIM)
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
