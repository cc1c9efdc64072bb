"""Which pixel centres the triangles of one body cover, and what is seen there.

Picture coordinates are snapped to a grid of 1/4096 pixel. Edge functions are then exact, and with the top-left rule an
edge that two triangles share belongs to exactly one of them (J. Pineda, A parallel algorithm for polygon rasterization,
SIGGRAPH 1988; the rule is Direct3D's).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Window = tuple[int, int, int, int]

SUBPIXELS: Final = 4096.0


@kernel
def snapped(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Column and row of (V, 3) rounded to the grid of 1/4096 pixel; nearness as it is."""
    result = image.copy()
    for n in range(len(image)):
        for k in range(2):
            result[n, k] = math.floor(image[n, k] * SUBPIXELS + 0.5) / SUBPIXELS
    return result


@kernel
def cover(
    image: NDArray[np.float64], triangles: NDArray[np.int32], bounds: Window, skip_back_faces: bool
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Nearness and number of the nearest triangle at every pixel centre within bounds, (h, w); -1 is none."""
    left, top, right, bottom = bounds
    nearness = np.full((bottom - top, right - left), -np.inf)
    winner = np.full((bottom - top, right - left), -1, dtype=np.int32)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        area = _edge(image, a, b, image[c, 0], image[c, 1])
        if area == 0.0 or (skip_back_faces and area > 0.0):
            continue
        if area < 0.0:  # rows grow downwards: a front face turns clockwise in the picture
            area, b, c = -area, c, b
        _cover_triangle(image, a, b, c, area, t, left, top, nearness, winner)
    return nearness, winner


@kernel
def _cover_triangle(
    image: NDArray[np.float64],
    a: int,
    b: int,
    c: int,
    area: float,
    t: int,
    left: int,
    top: int,
    nearness: NDArray[np.float64],
    winner: NDArray[np.int32],
) -> None:
    height, width = winner.shape
    columns, rows = (image[a, 0], image[b, 0], image[c, 0]), (image[a, 1], image[b, 1], image[c, 1])
    first_column = int(max(math.ceil(min(columns) - 0.5) - left, 0))
    last_column = int(min(math.floor(max(columns) - 0.5) - left, width - 1))
    first_row = int(max(math.ceil(min(rows) - 0.5) - top, 0))
    last_row = int(min(math.floor(max(rows) - 0.5) - top, height - 1))
    owns_bc, owns_ca, owns_ab = _owns(image, b, c), _owns(image, c, a), _owns(image, a, b)
    for row in range(first_row, last_row + 1):
        y = top + row + 0.5
        for column in range(first_column, last_column + 1):
            x = left + column + 0.5
            u, v, w = _edge(image, b, c, x, y), _edge(image, c, a, x, y), _edge(image, a, b, x, y)
            if u < 0.0 or v < 0.0 or w < 0.0:
                continue
            if (u == 0.0 and not owns_bc) or (v == 0.0 and not owns_ca) or (w == 0.0 and not owns_ab):
                continue
            near = (u * image[a, 2] + v * image[b, 2] + w * image[c, 2]) / area
            if near > nearness[row, column]:
                nearness[row, column], winner[row, column] = near, t


@numba.njit(cache=True, inline="always")
def _edge(image: NDArray[np.float64], a: int, b: int, x: float, y: float) -> float:
    """Twice the area of (a, b, point); positive inside. Exact for triangles up to 8,192 pixels wide."""
    ax, ay = image[a, 0], image[a, 1]
    return float((image[b, 0] - ax) * (y - ay) - (image[b, 1] - ay) * (x - ax))


@numba.njit(cache=True, inline="always")
def _owns(image: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether centres exactly on edge a -> b are this triangle's: left edges and top edges."""
    rise = image[b, 1] - image[a, 1]
    return bool(rise < 0.0 or (rise == 0.0 and image[b, 0] > image[a, 0]))


@kernel
def resolve(
    image: NDArray[np.float64],
    triangles: NDArray[np.int32],
    normals: NDArray[np.float64],
    normal_matrix: NDArray[np.float64],
    nearness: NDArray[np.float64],
    winner: NDArray[np.int32],
    bounds: Window,
    picture_width: int,
    is_orthographic: bool,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Pixel (F,), depth (F,) and unit normal (F, 3), camera frame, of the covered centres, in order of pixel.

    `normals` (V, 3) belong to the body's own frame; `normal_matrix` (3, 3) takes them to the camera's.
    """
    left, top, _, _ = bounds
    count = np.count_nonzero(winner + 1)
    pixel, depth = np.empty(count, np.int32), np.empty(count, np.float32)
    normal = np.empty((count, 3), np.float32)
    n = 0
    for row in range(winner.shape[0]):
        for column in range(winner.shape[1]):
            t = winner[row, column]
            if t < 0:
                continue
            near = nearness[row, column]
            pixel[n] = (top + row) * picture_width + left + column
            depth[n] = -near if is_orthographic else 1.0 / near
            weights = _weights(image, triangles[t], left + column + 0.5, top + row + 0.5, is_orthographic)
            _write_normal(normal, n, normals, triangles[t], weights, normal_matrix)
            n += 1
    return pixel, depth, normal


@kernel
def keep_nearest(
    image: NDArray[np.float64],
    triangles: NDArray[np.int32],
    normals: NDArray[np.float64],
    normal_matrix: NDArray[np.float64],
    nearness: NDArray[np.float64],
    winner: NDArray[np.int32],
    bounds: Window,
    body: int,
    ids: NDArray[np.uint16],
    nearest: NDArray[np.float32],
    normal: NDArray[np.float32],
) -> None:
    """Write id, nearness and unit normal of an orthographic body where nothing nearer is in (H, W[, 3]) yet."""
    left, top, _, _ = bounds
    flat = normal.reshape(-1, 3)
    for row in range(winner.shape[0]):
        for column in range(winner.shape[1]):
            t = winner[row, column]
            y, x = top + row, left + column
            if t < 0 or np.float32(nearness[row, column]) <= nearest[y, x]:
                continue
            ids[y, x], nearest[y, x] = body + 1, nearness[row, column]
            weights = _weights(image, triangles[t], x + 0.5, y + 0.5, True)
            _write_normal(flat, y * ids.shape[1] + x, normals, triangles[t], weights, normal_matrix)


@kernel
def _weights(
    image: NDArray[np.float64], triangle: NDArray[np.int32], x: float, y: float, is_orthographic: bool
) -> tuple[float, float, float]:
    """How much each corner counts at (x, y), up to a common factor; negative on back faces: their normals turn."""
    a, b, c = triangle
    u, v, w = -_edge(image, b, c, x, y), -_edge(image, c, a, x, y), -_edge(image, a, b, x, y)
    if is_orthographic:
        return u, v, w
    return u * image[a, 2], v * image[b, 2], w * image[c, 2]


@kernel
def _write_normal(
    normal: NDArray[np.float32],
    n: int,
    normals: NDArray[np.float64],
    triangle: NDArray[np.int32],
    weights: tuple[float, float, float],
    matrix: NDArray[np.float64],
) -> None:
    p = _blended(normals, triangle, weights, 0)
    q = _blended(normals, triangle, weights, 1)
    r = _blended(normals, triangle, weights, 2)
    x = matrix[0, 0] * p + matrix[0, 1] * q + matrix[0, 2] * r
    y = matrix[1, 0] * p + matrix[1, 1] * q + matrix[1, 2] * r
    z = matrix[2, 0] * p + matrix[2, 1] * q + matrix[2, 2] * r
    length = math.sqrt(x * x + y * y + z * z)
    normal[n, 0], normal[n, 1], normal[n, 2] = x / length, y / length, z / length


@numba.njit(cache=True, inline="always")
def _blended(
    normals: NDArray[np.float64], triangle: NDArray[np.int32], weights: tuple[float, float, float], k: int
) -> float:
    a, b, c = triangle
    return float(weights[0] * normals[a, k] + weights[1] * normals[b, k] + weights[2] * normals[c, k])


@kernel
def window(image: NDArray[np.float64], width: int, height: int) -> Window:
    """Left, top, right, bottom (exclusive) of the pixels whose centres lie in the bounding box of (V, 3)."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for point in image:
        left, right = min(left, point[0]), max(right, point[0])
        top, bottom = min(top, point[1]), max(bottom, point[1])
    first_column = min(max(math.ceil(left - 0.5), 0), width)
    first_row = min(max(math.ceil(top - 0.5), 0), height)
    last_column = min(max(math.floor(right - 0.5) + 1, first_column), width)
    last_row = min(max(math.floor(bottom - 0.5) + 1, first_row), height)
    return int(first_column), int(first_row), int(last_column), int(last_row)
