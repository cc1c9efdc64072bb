"""Structures of the ground, each added to its grey and its height (pixels) in place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import cell, uniform, value

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Spot(NamedTuple):
    """How round structures look: height of the middle over their radius, factor on grey in the middle."""

    rise: float
    grey: float
    """0 leaves it, -1 makes it black."""


PORE: Final = Spot(-1.2, -0.7)
CRUMB: Final = Spot(0.8, 0.6)

_CELL: Final = 0.75
"""Edge of a cell over the largest diameter; each holds one spot or none."""
_SMALLEST: Final = 0.3
"""Smallest radius over the largest; between them all are equally likely."""
_MEAN_AREA: Final = math.pi / 4 * (1 - _SMALLEST**3) / (3 * (1 - _SMALLEST)) / _CELL**2
"""Of a spot over its cell's."""


@kernel
def add_spots(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, share: float, size: float, spot: Spot
) -> None:
    """Pores or crumbs of up to `size` px that cover `share` (up to 0.45) of the ground, irregular in outline.

    They lie at random and may overlap: of n mean areas per area, 1 - exp(-n) is covered.
    """
    chance = -float(np.float32(math.log(1.0 - share))) / _MEAN_AREA
    edge = _CELL * size
    for row in range(level.shape[0]):
        for column in range(level.shape[1]):
            wobble = 0.25 * size
            x = column + 0.5 + wobble * value(key + np.uint64(7), column / (0.4 * size), row / (0.4 * size))
            y = row + 0.5 + wobble * value(key + np.uint64(8), column / (0.4 * size), row / (0.4 * size))
            depth, radius = _deepest(key, x / edge, y / edge, chance, size / (2.0 * edge))
            if depth > 0.0:
                height[row, column] += spot.rise * radius * edge * min(depth * (2.0 - depth), 1.0)
                level[row, column] *= 1.0 + spot.grey * min(2.0 * depth, 1.0)


@kernel
def _deepest(key: np.uint64, x: float, y: float, chance: float, largest: float) -> tuple[float, float]:
    """How deep (x, y) lies in a spot, 0 outside … 1 in its middle, and that spot's radius; lengths in cells."""
    deepest, its_radius = 0.0, 0.0
    i, j = math.floor(x), math.floor(y)
    for n in range(i - 1, i + 2):
        for m in range(j - 1, j + 2):
            index = cell(n, m)
            if uniform(key, index) >= chance:
                continue
            radius = largest * (_SMALLEST + (1.0 - _SMALLEST) * uniform(key, index + np.uint64(1)))
            dx = x - n - uniform(key, index + np.uint64(2))
            dy = y - m - uniform(key, index + np.uint64(3))
            depth = 1.0 - math.sqrt(dx * dx + dy * dy) / radius
            if depth > deepest:
                deepest, its_radius = depth, radius
    return deepest, its_radius


@kernel
def add_terraces(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, count: float, right: float, up: float
) -> None:
    """Steps with wavy edges, `count` across the frame along the unit vector (right, up), each a few px high.

    Between steps the ground falls back, so that it stays level on the whole. Every terrace has its own grey, ± 15 % of
    the ground's.
    """
    rows, columns = level.shape
    frame = max(rows, columns)
    spacing = frame / count
    step_height = min(0.25 * spacing, 4.0)
    for row in range(rows):
        for column in range(columns):
            x, y = column / frame, row / frame
            wave = 0.08 * frame * value(key, 4.0 * x, 4.0 * y) + 0.01 * frame * value(key, 23.0 * x, 23.0 * y)
            along = (column * right - row * up + wave) / spacing
            terrace = math.floor(along)
            ramp = max((along - terrace - 1.0) * spacing / 2.0 + 1.0, 0.0)
            height[row, column] += step_height * (terrace + ramp - along)
            own = uniform(key + np.uint64(1), cell(terrace, 0))
            level[row, column] *= 1.0 + 0.3 * (own - 0.5)


def add_scratches(
    level: NDArray[np.float32], height: NDArray[np.float32], key: np.uint64, count: float, azimuth: float
) -> None:
    """About `count` straight grooves across `azimuth` (degrees, ± 20), 1 to 4 px wide, brighter or darker."""
    for number in range(math.ceil(count)):
        index = np.uint64(16 * number)
        draws = [uniform(key, index + np.uint64(n)) for n in range(6)]
        angle = math.radians(azimuth + 90.0 + 40.0 * (draws[0] - 0.5))
        along = float(np.float32(math.cos(angle))), -float(np.float32(math.sin(angle)))
        _scratch(level, height, along, draws[1], draws[2], 0.1 + 0.9 * draws[3], 0.5 + 1.5 * draws[4],
                 0.9 * draws[5] - 0.5)  # fmt: skip


@kernel
def _scratch(
    level: NDArray[np.float32],
    height: NDArray[np.float32],
    along: tuple[float, float],
    x: float,
    y: float,
    length: float,
    half_width: float,
    grey: float,
) -> None:
    """A groove about (x, y), parts of the picture, along (columns, rows); length in parts of the frame."""
    rows, columns = level.shape
    reach = 0.5 * length * max(rows, columns)
    for row in range(rows):
        # Along a line the pixels near the groove are one run of columns.
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
            off = abs(dx * along[1] - dy * along[0]) / half_width
            if off < 1.0:
                level[row, column] *= 1.0 + grey * (1.0 - off)
                height[row, column] -= half_width * (1.0 - off)
