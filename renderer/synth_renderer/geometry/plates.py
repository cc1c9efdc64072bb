"""Plates: upright prisms over an outline that the middle sees in full, with the rim on lines of the sphere grid.

Outlines are corners (C, 2), counter-clockwise around the middle, in the square of edge 1. Only + - x / sqrt in float64
in the kernels; sines and cosines of the corners are rounded to float32.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.casting import solve_rounded_reach, write_rounded_normal
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, draw_word
from synth_renderer.randomness.noise import space_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.geometry.casting import Surface

ANGLE_JITTER: Final = 0.7
"""Range of a random corner's angle, in parts of the corners' distance."""
FLAKE_WORD, WAVE_WORD = np.uint64(2**41), np.uint64(2**41 + 1)
"""Words of the shape's seed from which the keys of the outline and of the waves derive."""
WAVES: Final = 1.6
"""Lattice steps of the field of waves per particle size."""
_STEP: Final = 1e-3
"""Half distance of the points of which a slope of that field is the difference, lattice steps."""


def build_star_outline(arms: int, notch: float) -> NDArray[np.float64]:
    """Return a star (2 arms, 2): tips on the circle of diameter 1, notches between them at the share `notch` of it."""
    angles = [math.pi * corner / arms for corner in range(2 * arms)]
    radii = [0.5 if corner % 2 == 0 else 0.5 * notch for corner in range(2 * arms)]
    return _place_corners(angles, radii)


def draw_flake_outline(corners: int, variation: float, seed: np.uint64) -> NDArray[np.float64]:
    """Return a random polygon (corners, 2) that reaches the square's edges along x and y.

    Angles vary by ANGLE_JITTER of their distance; before the whole is stretched, each corner lies at up to the share
    `variation` inside the circle.
    """
    key = np.uint64(draw_word(seed, FLAKE_WORD))
    draws = [float(draw_uniform(key, np.uint64(draw))) for draw in range(2 * corners)]
    angles = [2 * math.pi * (corner + ANGLE_JITTER * (draws[2 * corner] - 0.5)) / corners for corner in range(corners)]
    outline = _place_corners(angles, [1 - variation * draws[2 * corner + 1] for corner in range(corners)])
    return np.asarray(outline / (2 * np.abs(outline).max(axis=0)))


def _place_corners(angles: list[float], radii: list[float]) -> NDArray[np.float64]:
    units = np.array([(math.cos(angle), math.sin(angle)) for angle in angles], dtype=np.float32)
    return np.asarray(units.astype(np.float64) * np.array(radii)[:, None])


def cast_plate(
    directions: NDArray[np.float64], proportions: NDArray[np.float64], outline: NDArray[np.float64], rounding: float
) -> Surface:
    """Cast the plate of full extents `proportions` (3,) over a stretched outline, with edges rounded all around.

    directions (V, 3) are those of a sphere grid, whose cube becomes the plate: its upper and lower face the plate's,
    its edges the rim. The grid line next to each corner moves onto it.
    """
    corners = np.ascontiguousarray(outline * proportions[:2])
    cube = directions / np.abs(directions).max(axis=1)[:, None]
    _move_lines_to_corners(cube, corners, proportions)
    return _cast_cube(cube, proportions, corners, rounding)


@kernel
def _move_lines_to_corners(
    cube: NDArray[np.float64], corners: NDArray[np.float64], proportions: NDArray[np.float64]
) -> None:
    """Turn the upright line of the cube's sides (V, 3) that is nearest to each corner (C, 2) towards it, in place."""
    for c in range(len(corners)):
        x, y = corners[c, 0] / proportions[0], corners[c, 1] / proportions[1]
        length = math.sqrt(x * x + y * y)
        nearest, best = -1, -np.inf
        for v in range(len(cube)):
            if max(abs(cube[v, 0]), abs(cube[v, 1])) > 1.0 - 1e-9:
                across = math.sqrt(cube[v, 0] * cube[v, 0] + cube[v, 1] * cube[v, 1])
                cosine = (cube[v, 0] * x + cube[v, 1] * y) / (across * length)
                if cosine > best + 1e-12:
                    nearest, best = v, cosine
        column, row = cube[nearest, 0], cube[nearest, 1]
        largest = max(abs(x), abs(y))
        for v in range(len(cube)):
            if abs(cube[v, 0] - column) < 1e-9 and abs(cube[v, 1] - row) < 1e-9:
                cube[v, 0], cube[v, 1] = x / largest, y / largest


@kernel
def _cast_cube(
    cube: NDArray[np.float64], proportions: NDArray[np.float64], corners: NDArray[np.float64], rounding: float
) -> Surface:
    """Return points and unit normals (V, 3) of the plate for points (V, 3) on the cube of edge 2."""
    points, normals = np.empty_like(cube), np.empty_like(cube)
    planes, slopes, both = np.zeros((2, 4)), np.empty(2), np.arange(2)
    tall = 0.5 * proportions[2]
    for v in range(len(cube)):
        share = max(abs(cube[v, 0]), abs(cube[v, 1]))
        if share > 1.0 - 1e-9:
            share = 1.0
        x, y = cube[v, 0] * proportions[0], cube[v, 1] * proportions[1]
        side = 1.0 if cube[v, 2] >= 0.0 else -1.0
        planes[1, 2], planes[1, 3] = side, tall
        z = tall * cube[v, 2]
        if share < 1e-12:
            points[v], normals[v] = (0.0, 0.0, side * tall), (0.0, 0.0, side)
            continue
        reach = _find_wall(planes[0], x, y, corners) * share
        x, y = x * reach, y * reach
        slopes[0], slopes[1] = planes[0, 0] * x + planes[0, 1] * y, side * z
        stretch = 1.0
        if rounding > 0.0:
            stretch = solve_rounded_reach(stretch, slopes, planes, both, rounding)
        if rounding > 0.0 and slopes[0] > planes[0, 3] - rounding and slopes[1] > tall - rounding:
            write_rounded_normal(normals[v], stretch, slopes, planes, both, rounding)
        else:
            normals[v] = planes[0 if share == 1.0 else 1, :3]
            if share == 1.0 and abs(cube[v, 2]) > 1.0 - 1e-9:
                normals[v] = (planes[0, :3] + planes[1, :3]) / math.sqrt(2.0)
        points[v] = (x * stretch, y * stretch, z * stretch)
    return points, normals


@kernel
def _find_wall(plane: NDArray[np.float64], x: float, y: float, corners: NDArray[np.float64]) -> float:
    """Return the reach at which (x, y) times it lies on the outline (C, 2), and write the wall's plane (4,) there.

    With corners p and q on either side of the ray, reach = p x q / (d x q + p x d). The plane at a corner has the mean
    of both walls' directions.
    """
    count = len(corners)
    for c in range(count):
        p, q = corners[c], corners[(c + 1) % count]
        left, right = p[0] * y - p[1] * x, x * q[1] - y * q[0]
        if left >= 0.0 and right > 0.0:
            area = p[0] * q[1] - p[1] * q[0]
            reach = area / (left + right)
            plane[:] = 0.0
            _add_wall_normal(plane, p, q)
            if left < 1e-9 * area:
                _add_wall_normal(plane, corners[(c + count - 1) % count], p)
            if right < 1e-9 * area:
                _add_wall_normal(plane, q, corners[(c + 2) % count])
            length = math.sqrt(plane[0] * plane[0] + plane[1] * plane[1])
            plane[0], plane[1] = plane[0] / length, plane[1] / length
            plane[3] = reach * (plane[0] * x + plane[1] * y)
            return float(reach)
    return 0.0


@kernel
def _add_wall_normal(normal: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64]) -> None:
    """Add the unit normal of the wall from corner p to corner q (2,) each to `normal`, in place."""
    along, across = q[0] - p[0], q[1] - p[1]
    length = math.sqrt(along * along + across * across)
    normal[0] += across / length
    normal[1] -= along / length


@kernel
def add_waves(points: NDArray[np.float64], normals: NDArray[np.float64], seed: np.uint64, depth: float) -> None:
    """Move points (V, 3) along z by a smooth field of x and y and turn the normals (V, 3), in place.

    `depth` is the field's rms, particle sizes; the volume does not change. The field of `space_noise` has the rms 0.4.
    """
    key = np.uint64(draw_word(seed, WAVE_WORD))
    strength = depth / 0.4
    for v in range(len(points)):
        x, y = points[v, 0] * WAVES, points[v, 1] * WAVES
        points[v, 2] += strength * space_noise(key, x, y, 0.5)
        rise_x = space_noise(key, x + _STEP, y, 0.5) - space_noise(key, x - _STEP, y, 0.5)
        rise_y = space_noise(key, x, y + _STEP, 0.5) - space_noise(key, x, y - _STEP, 0.5)
        slope = strength * WAVES / (2.0 * _STEP) * normals[v, 2]
        normals[v, 0] -= rise_x * slope
        normals[v, 1] -= rise_y * slope
        n = normals[v]
        normals[v] /= math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])


def measure_plate(outline: NDArray[np.float64], proportions: tuple[float, float, float]) -> tuple[float, float]:
    """Return volume and surface of a plate with sharp edges and level faces."""
    corners = outline * np.array(proportions[:2])
    following = np.roll(corners, -1, axis=0)
    area = math.fsum((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).tolist()) / 2
    perimeter = math.fsum(math.dist(p, q) for p, q in zip(corners.tolist(), following.tolist(), strict=True))
    return area * proportions[2], 2 * area + perimeter * proportions[2]
