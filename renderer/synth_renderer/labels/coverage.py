"""Pixel centres that the triangles of one body cover, with depth and normal of the nearest triangle there.

Picture coordinates are snapped to a grid of 1/4096 pixel. Edge functions are then exact, and with the top-left rule an
edge that two triangles share belongs to exactly one of them (J. Pineda, A parallel algorithm for polygon rasterization,
SIGGRAPH 1988; the rule is Direct3D's).

Arguments named `image` are projected vertices (V, 3) float64: column and row in pixels, and nearness, which grows
towards the viewer and is linear over the picture: -depth (orthographic) or 1 / depth (perspective).
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
    """Left, top, right, bottom of a rectangle of pixels; right and bottom are exclusive."""

SUBPIXEL_STEPS: Final = 4096.0
"""Steps of the grid per pixel, 2^12: products of coordinates up to 8,192 px, 2^13, then fit into 53 bits."""


@kernel
def snap_to_grid(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the image (V, 3) with column and row rounded to 1/4096 pixel, halves up; nearness unchanged."""
    result = image.copy()
    for n in range(len(image)):
        for k in range(2):
            result[n, k] = math.floor(image[n, k] * SUBPIXEL_STEPS + 0.5) / SUBPIXEL_STEPS
    return result


@kernel
def find_nearest_triangles(
    image: NDArray[np.float64], triangles: NDArray[np.int32], bounds: Window, skip_back_faces: bool
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return nearness (h, w) float64 and number (h, w) int32 of the nearest triangle at every pixel centre in bounds.

    triangles (T, 3) are vertex numbers, counter-clockwise from outside. Where no triangle covers the centre nearness is
    -inf and the number -1. Of triangles at equal depth the first one counts; triangles without area cover nothing.
    """
    left, top, right, bottom = bounds
    nearness = np.full((bottom - top, right - left), -np.inf)
    winner = np.full((bottom - top, right - left), -1, dtype=np.int32)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        area = evaluate_edge(image, a, b, image[c, 0], image[c, 1])
        if area == 0.0 or (skip_back_faces and area > 0.0):
            continue
        if area < 0.0:  # rows grow downwards: a front face turns clockwise in the picture
            area, b, c = -area, c, b
        _cover_with_triangle(image, a, b, c, area, t, left, top, nearness, winner)
    return nearness, winner


@kernel
def _cover_with_triangle(
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
    """Enter triangle `t` with the corners a, b, c (clockwise in the picture) and twice its `area`, px^2, in place.

    (left, top) is the pixel of nearness[0, 0]. The edge functions u, v, w over the area are the barycentric coordinates
    of the pixel centre.
    """
    height, width = winner.shape
    columns, rows = (image[a, 0], image[b, 0], image[c, 0]), (image[a, 1], image[b, 1], image[c, 1])
    first_column = int(max(math.ceil(min(columns) - 0.5) - left, 0))
    last_column = int(min(math.floor(max(columns) - 0.5) - left, width - 1))
    first_row = int(max(math.ceil(min(rows) - 0.5) - top, 0))
    last_row = int(min(math.floor(max(rows) - 0.5) - top, height - 1))
    owns_bc, owns_ca, owns_ab = (
        is_top_left_edge(image, b, c),
        is_top_left_edge(image, c, a),
        is_top_left_edge(image, a, b),
    )
    for row in range(first_row, last_row + 1):
        y = top + row + 0.5
        for column in range(first_column, last_column + 1):
            x = left + column + 0.5
            u, v, w = (
                evaluate_edge(image, b, c, x, y),
                evaluate_edge(image, c, a, x, y),
                evaluate_edge(image, a, b, x, y),
            )
            if u < 0.0 or v < 0.0 or w < 0.0:
                continue
            if (u == 0.0 and not owns_bc) or (v == 0.0 and not owns_ca) or (w == 0.0 and not owns_ab):
                continue
            near = (u * image[a, 2] + v * image[b, 2] + w * image[c, 2]) / area
            if near > nearness[row, column]:
                nearness[row, column], winner[row, column] = near, t


@numba.njit(cache=True, inline="always")
def evaluate_edge(image: NDArray[np.float64], a: int, b: int, x: float, y: float) -> float:
    """Return twice the area of (a, b, point), px^2; positive inside. Exact for triangles up to 8,192 pixels wide."""
    ax, ay = image[a, 0], image[a, 1]
    return float((image[b, 0] - ax) * (y - ay) - (image[b, 1] - ay) * (x - ax))


@numba.njit(cache=True, inline="always")
def is_top_left_edge(image: NDArray[np.float64], a: int, b: int) -> bool:
    """Return True if centres exactly on edge a -> b belong to this triangle: it is a left or a top edge."""
    rise = image[b, 1] - image[a, 1]
    return bool(rise < 0.0 or (rise == 0.0 and image[b, 0] > image[a, 0]))


@kernel
def resolve_fragments(
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
    """Return pixel (F,), depth (F,) and unit normal (F, 3), camera frame, of the covered centres, in order of pixel.

    Pixel = row x picture_width + column; depth in scene units. `nearness` and `winner` are those of
    `find_nearest_triangles`. `normals` (V, 3) are in the body's frame; `normal_matrix` (3, 3) maps to the camera's.
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
            weights = _compute_corner_weights(
                image, triangles[t], left + column + 0.5, top + row + 0.5, is_orthographic
            )
            _write_normal(normal, n, normals, triangles[t], weights, normal_matrix)
            n += 1
    return pixel, depth, normal


@kernel
def keep_nearest_surface(
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
    """Write id, nearness and unit normal of a body where it is nearer than `nearest` (H, W), in place; orthographic.

    The body's number + 1 goes to `ids` (H, W), the normal in the camera frame to `normal` (H, W, 3). Nearness is
    compared in float32; of two equal ones the first body stays.
    """
    left, top, _, _ = bounds
    flat = normal.reshape(-1, 3)
    for row in range(winner.shape[0]):
        for column in range(winner.shape[1]):
            t = winner[row, column]
            y, x = top + row, left + column
            if t < 0 or np.float32(nearness[row, column]) <= nearest[y, x]:
                continue
            ids[y, x], nearest[y, x] = body + 1, nearness[row, column]
            weights = _compute_corner_weights(image, triangles[t], x + 0.5, y + 0.5, True)
            _write_normal(flat, y * ids.shape[1] + x, normals, triangles[t], weights, normal_matrix)


@kernel
def _compute_corner_weights(
    image: NDArray[np.float64], triangle: NDArray[np.int32], x: float, y: float, is_orthographic: bool
) -> tuple[float, float, float]:
    """Return the corners' weights at (x, y), column and row, up to a common factor.

    They are barycentric coordinates, in perspective times 1 / depth of the corner. The factor is negative on back
    faces, so their normals turn towards the camera.
    """
    a, b, c = triangle
    u, v, w = -evaluate_edge(image, b, c, x, y), -evaluate_edge(image, c, a, x, y), -evaluate_edge(image, a, b, x, y)
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
    """Write row `n` of normal (F, 3): the weighted mean of the corners' normals times the matrix, normalised."""
    p = _interpolate_component(normals, triangle, weights, 0)
    q = _interpolate_component(normals, triangle, weights, 1)
    r = _interpolate_component(normals, triangle, weights, 2)
    x = matrix[0, 0] * p + matrix[0, 1] * q + matrix[0, 2] * r
    y = matrix[1, 0] * p + matrix[1, 1] * q + matrix[1, 2] * r
    z = matrix[2, 0] * p + matrix[2, 1] * q + matrix[2, 2] * r
    length = math.sqrt(x * x + y * y + z * z)
    normal[n, 0], normal[n, 1], normal[n, 2] = x / length, y / length, z / length


@numba.njit(cache=True, inline="always")
def _interpolate_component(
    normals: NDArray[np.float64], triangle: NDArray[np.int32], weights: tuple[float, float, float], k: int
) -> float:
    """Return component `k` of the weighted sum of the corners' normals."""
    a, b, c = triangle
    return float(weights[0] * normals[a, k] + weights[1] * normals[b, k] + weights[2] * normals[c, k])


@kernel
def find_pixel_window(image: NDArray[np.float64], width: int, height: int) -> Window:
    """Return the window of the pixels with their centres in the bounding box of an image (V, 3), cut to the picture."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for point in image:
        left, right = min(left, point[0]), max(right, point[0])
        top, bottom = min(top, point[1]), max(bottom, point[1])
    first_column = min(max(math.ceil(left - 0.5), 0), width)
    first_row = min(max(math.ceil(top - 0.5), 0), height)
    last_column = min(max(math.floor(right - 0.5) + 1, first_column), width)
    last_row = min(max(math.floor(bottom - 0.5) + 1, first_row), height)
    return int(first_column), int(first_row), int(last_column), int(last_row)
