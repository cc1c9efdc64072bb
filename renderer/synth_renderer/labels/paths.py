"""Paths of the camera's rays through bodies: where a ray enters and leaves, and how far it runs inside.

A closed mesh is crossed from outside to inside at triangles that face the viewer and back at those that face away, so
the length inside is the sum of the depths of the latter minus that of the former: no sorting, any number of crossings,
right for bodies that are not convex and for hollow ones, whose inner surface faces the cavity. By the top-left rule of
the rasteriser a ray that meets a common edge of triangles crosses exactly one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.coverage import evaluate_edge, find_pixel_window, is_top_left_edge, snap_to_grid
from synth_renderer.labels.projection import build_view_matrix, project_points, to_camera_frame
from synth_renderer.model.transforms import multiply_matrices, rotation_matrix, transform_points
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_renderer.labels.coverage import Window
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera


@dataclass(frozen=True)
class Paths:
    """Rays through one body at the samples of a window, (h, w) float64 each, scene units."""

    body: int
    """Number of the body."""
    left: int
    """Column of the first sample in the picture of samples."""
    top: int
    """Row of the first sample."""
    entry: NDArray[np.float64]
    """Depth at which a ray first enters: distance from the camera along its axis; inf where it misses the body."""
    exit: NDArray[np.float64]
    """Depth at which it last leaves; -inf where it misses the body."""
    length: NDArray[np.float64]
    """Length inside the body, that inside each part times its relative density; 0 where the ray misses it."""


def find_paths(bodies: Bodies, shown: NDArray[np.bool_], camera: Camera, per_side: int) -> Iterator[Paths]:
    """Yield the paths through each body `shown` (N,) that the picture shows, by number of the body.

    The camera is orthographic and outside all bodies; there are `per_side` samples along each side of a pixel. Memory
    is that of one body's window.
    """
    fine = replace(camera, width=camera.width * per_side, height=camera.height * per_side)
    centres, view = to_camera_frame(bodies.locations, fine), build_view_matrix(fine)
    for body in np.flatnonzero(shown & bodies.scales.all(axis=1)):
        mesh, scale = bodies.meshes[bodies.mesh_index[body]], bodies.scales[body]
        rotation = multiply_matrices(view, rotation_matrix(bodies.quaternions[body]))
        image = snap_to_grid(project_points(transform_points(mesh.vertices, rotation * scale, centres[body]), fine))
        bounds = find_pixel_window(image, fine.width, fine.height)
        left, top, right, bottom = bounds
        if left < right and top < bottom:
            density = np.ones(len(mesh.triangles)) if mesh.density is None else mesh.density
            yield Paths(int(body), left, top, *_sum_crossings(image, mesh.triangles, density, bounds))


@kernel
def _sum_crossings(
    image: NDArray[np.float64], triangles: NDArray[np.int32], density: NDArray[np.float64], bounds: Window
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return entry, exit and length (h, w) of `Paths` for an image (V, 3) and triangles (T, 3) of a `density` (T,).

    Sums are in the order of the triangles.
    """
    left, top, right, bottom = bounds
    first = np.full((bottom - top, right - left), np.inf)
    last = np.full((bottom - top, right - left), -np.inf)
    length = np.zeros((bottom - top, right - left))
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        area = evaluate_edge(image, a, b, image[c, 0], image[c, 1])
        if area == 0.0:
            continue
        leaves = area > 0.0  # rows grow downwards: a face towards the viewer turns clockwise in the picture
        if not leaves:
            area, b, c = -area, c, b
        _cross_triangle(image, a, b, c, area, leaves, density[t], left, top, first, last, length)
    for row in range(bottom - top):
        for column in range(right - left):
            length[row, column] = max(length[row, column], 0.0)
    return first, last, length


@kernel
def _cross_triangle(
    image: NDArray[np.float64],
    a: int,
    b: int,
    c: int,
    area: float,
    leaves: bool,
    density: float,
    left: int,
    top: int,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    length: NDArray[np.float64],
) -> None:
    """Enter the crossings of one triangle with the corners a, b, c (clockwise) and twice its `area`, px^2, in place."""
    height, width = length.shape
    columns, rows = (image[a, 0], image[b, 0], image[c, 0]), (image[a, 1], image[b, 1], image[c, 1])
    first_column = int(max(np.ceil(min(columns) - 0.5) - left, 0))
    last_column = int(min(np.floor(max(columns) - 0.5) - left, width - 1))
    first_row = int(max(np.ceil(min(rows) - 0.5) - top, 0))
    last_row = int(min(np.floor(max(rows) - 0.5) - top, height - 1))
    owns_bc, owns_ca = is_top_left_edge(image, b, c), is_top_left_edge(image, c, a)
    owns_ab = is_top_left_edge(image, a, b)
    for row in range(first_row, last_row + 1):
        y = top + row + 0.5
        for column in range(first_column, last_column + 1):
            x = left + column + 0.5
            u, v = evaluate_edge(image, b, c, x, y), evaluate_edge(image, c, a, x, y)
            w = evaluate_edge(image, a, b, x, y)
            if u < 0.0 or v < 0.0 or w < 0.0:
                continue
            if (u == 0.0 and not owns_bc) or (v == 0.0 and not owns_ca) or (w == 0.0 and not owns_ab):
                continue
            depth = -(u * image[a, 2] + v * image[b, 2] + w * image[c, 2]) / area
            if leaves:
                last[row, column] = max(last[row, column], depth)
                length[row, column] += density * depth
            else:
                first[row, column] = min(first[row, column], depth)
                length[row, column] -= density * depth
