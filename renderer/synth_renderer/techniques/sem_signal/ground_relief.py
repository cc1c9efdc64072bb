"""Structures of the ground. Each function changes grey (parts of full white) and height (pixels), (H, W), in place.

Bits come from `randomness.hashing` with the feature's key; a constant added to the key makes another field.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, index_cell, plane_noise
from synth_renderer.techniques.sem_signal.patterns import evaluate_pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Spot(NamedTuple):
    """Look of round structures."""

    rise: float
    """Height of the middle over the radius; negative is a hollow."""
    grey: float
    """Relative change of the grey in the middle: 0 leaves it, -1 makes it black."""


PORE: Final = Spot(-1.2, -0.7)
CRUMB: Final = Spot(0.8, 0.6)

_CELL: Final = 0.75
"""Edge of a cell over the largest diameter; each holds one spot or none."""
_MIN_RADIUS: Final = 0.3
"""Smallest radius over the largest; all radii between them are equally likely."""
_MEAN_AREA: Final = math.pi / 4 * (1 - _MIN_RADIUS**3) / (3 * (1 - _MIN_RADIUS)) / _CELL**2
"""Mean area of a spot over the area of its cell: the mean of pi r^2 for r uniform between smallest and largest."""
_WOBBLE: Final = 0.25
"""Displacement of a spot's outline by a smooth field, largest diameters."""
_WOBBLE_STEP: Final = 0.4
"""Lattice step of that field, largest diameters."""

_TERRACE_RISE: Final = 0.25
"""Height of a step over the distance between steps."""
_MAX_TERRACE_RISE: Final = 4.0
"""Highest step, pixels."""
_RAMP_PIXELS: Final = 2.0
"""Width of the slope at a step, pixels."""
_TERRACE_CONTRAST: Final = 0.3
"""Range of the terraces' greys, parts of the ground's grey."""

_SCRATCH_SPREAD: Final = 40.0
"""Range of the scratches' directions, degrees."""


@kernel
def add_spots(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, share: float, size: float, spot: Spot
) -> None:
    """Add pores or crumbs of up to `size` px in diameter that cover `share` (up to 0.45) of the ground.

    They lie at random and may overlap: n mean areas per area cover 1 - exp(-n) of it, so n = -ln(1 - share). A smooth
    field makes their outlines irregular. With t the depth in a spot, 0 on its outline and 1 in the middle, height
    changes by rise r t (2 - t) and grey by the factor 1 + grey min(2 t, 1).
    """
    chance = -float(np.float32(math.log(1.0 - share))) / _MEAN_AREA
    edge = _CELL * size
    for row in range(level.shape[0]):
        for column in range(level.shape[1]):
            wobble, step = _WOBBLE * size, _WOBBLE_STEP * size
            x = column + 0.5 + wobble * plane_noise(key + np.uint64(7), column / step, row / step)
            y = row + 0.5 + wobble * plane_noise(key + np.uint64(8), column / step, row / step)
            depth, radius = _find_deepest_spot(key, x / edge, y / edge, chance, size / (2.0 * edge))
            if depth > 0.0:
                height[row, column] += spot.rise * radius * edge * min(depth * (2.0 - depth), 1.0)
                level[row, column] *= 1.0 + spot.grey * min(2.0 * depth, 1.0)


@kernel
def _find_deepest_spot(key: np.uint64, x: float, y: float, chance: float, largest: float) -> tuple[float, float]:
    """Return how deep (x, y) lies in a spot, 0 outside … 1 in the middle, and the radius of that spot; unit: cells.

    A spot has one draw each for its presence, radius, x and y, and reaches at most into the next cell.
    """
    deepest, deepest_radius = 0.0, 0.0
    i, j = math.floor(x), math.floor(y)
    for n in range(i - 1, i + 2):
        for m in range(j - 1, j + 2):
            index = index_cell(n, m)
            if draw_uniform(key, index) >= chance:
                continue
            radius = largest * (_MIN_RADIUS + (1.0 - _MIN_RADIUS) * draw_uniform(key, index + np.uint64(1)))
            dx = x - n - draw_uniform(key, index + np.uint64(2))
            dy = y - m - draw_uniform(key, index + np.uint64(3))
            depth = 1.0 - math.sqrt(dx * dx + dy * dy) / radius
            if depth > deepest:
                deepest, deepest_radius = depth, radius
    return deepest, deepest_radius


@kernel
def add_pattern(
    level: NDArray[np.float32],
    height: NDArray[np.float32],
    key: np.uint64,
    kind: int,
    strength: float,
    scale: float,
    stretch: float,
    direction: tuple[float, float],
) -> None:
    """Add the pattern with the number `kind`: the cut through it along the ground's plane, unit `scale` px.

    Its elements are `stretch` times as long as wide across `direction`, a unit vector (right, up).
    """
    right, up = direction
    for row in range(level.shape[0]):
        for column in range(level.shape[1]):
            along = ((column + 0.5) * right - (row + 0.5) * up) / scale
            across = ((column + 0.5) * up + (row + 0.5) * right) / (scale * stretch)
            rise, factor = evaluate_pattern(kind, key, along, 0.5, across, strength)
            height[row, column] += rise * scale
            level[row, column] *= factor


@kernel
def add_terraces(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, count: float, right: float, up: float
) -> None:
    """Add steps with wavy edges, `count` across the frame along the unit vector (right, up), each a few px high.

    Between steps the ground falls back, so that it stays level on the whole. Every terrace has its own grey, ± 15 % of
    the ground's. Two octaves of a smooth field, of 8 % and 1 % of the frame, make the edges wavy.
    """
    rows, columns = level.shape
    frame = max(rows, columns)
    spacing = frame / count
    step_height = min(_TERRACE_RISE * spacing, _MAX_TERRACE_RISE)
    for row in range(rows):
        for column in range(columns):
            x, y = column / frame, row / frame
            wave = 0.08 * frame * plane_noise(key, 4.0 * x, 4.0 * y) + 0.01 * frame * plane_noise(
                key, 23.0 * x, 23.0 * y
            )
            along = (column * right - row * up + wave) / spacing
            terrace = math.floor(along)
            ramp = max((along - terrace - 1.0) * spacing / _RAMP_PIXELS + 1.0, 0.0)
            height[row, column] += step_height * (terrace + ramp - along)
            draw = draw_uniform(key + np.uint64(1), index_cell(terrace, 0))
            level[row, column] *= 1.0 + _TERRACE_CONTRAST * (draw - 0.5)


def add_scratches(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, count: float, azimuth: float
) -> None:
    """Add `count` straight grooves, rounded up, across `azimuth` (degrees, ± 20), 1 to 4 px wide, brighter or darker.

    Draws of a scratch: direction, x and y of its middle, length (0.1 … 1 frame), half width (0.5 … 2 px), relative
    change of grey (-0.5 … 0.4).
    """
    for number in range(math.ceil(count)):
        index = np.uint64(16 * number)
        draws = [draw_uniform(key, index + np.uint64(n)) for n in range(6)]
        angle = math.radians(azimuth + 90.0 + _SCRATCH_SPREAD * (draws[0] - 0.5))
        along = float(np.float32(math.cos(angle))), -float(np.float32(math.sin(angle)))
        _add_scratch(level, height, along, draws[1], draws[2], 0.1 + 0.9 * draws[3], 0.5 + 1.5 * draws[4],
                 0.9 * draws[5] - 0.5)  # fmt: skip


@kernel
def _add_scratch(
    level: NDArray[np.float32],
    height: NDArray[np.float32],
    along: tuple[float, float],
    x: float,
    y: float,
    length: float,
    half_width: float,
    grey: float,
) -> None:
    """Add a V-shaped groove, as deep as its half width (px), with its middle at (x, y) in parts of the picture.

    `along` is its unit vector (columns, rows), `length` in parts of the frame, `grey` the relative change of grey in
    the middle.
    """
    rows, columns = level.shape
    reach = 0.5 * length * max(rows, columns)
    for row in range(rows):
        # In one row the pixels near the groove are one run of columns; a groove along the row fills its whole length.
        dy = row + 0.5 - y * rows
        if abs(along[1]) > 1e-3:
            middle = x * columns + dy * along[0] / along[1]
            spread = half_width / abs(along[1]) + 1.0
        else:
            middle, spread = x * columns, reach
        first, last = max(int(middle - spread), 0), min(int(middle + spread) + 1, columns)
        for column in range(first, last):
            dx = column + 0.5 - x * columns
            if abs(dx * along[0] + dy * along[1]) > reach:
                continue
            distance = abs(dx * along[1] - dy * along[0]) / half_width
            if distance < 1.0:
                level[row, column] *= 1.0 + grey * (1.0 - distance)
                height[row, column] -= half_width * (1.0 - distance)
