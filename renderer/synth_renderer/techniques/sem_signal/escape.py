"""Escape of electrons past the surroundings: which share of those that a facet emits no other surface stops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

MIN_EMISSION: Final = 1e-9
"""Lowest emission that is divided by; a facet that faces down emits nothing upwards."""
DIRECTIONS: Final = np.array(
    [(x * sign, y * sign) for x, y in ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))
     for sign in (1, -1)]
)  # fmt: skip
"""Steps (right, up) of whole pixels along the sixteen vertical sections through a point."""


def mix_strength(coverage: Plane, on_particles: float, on_ground: float) -> Plane:
    """Return the share (H, W) of the electrons that fly straight; the detector's field collects the others anyway.

    `on_particles` where particles cover the pixel, `on_ground` elsewhere; coverage (H, W), 0 … 1.
    """
    return np.float32(on_ground) + np.float32(on_particles - on_ground) * coverage


def shade_by_escape(signal: Plane, escape: Plane, strength: Plane) -> Plane:
    """Return signal (1 - strength (1 - escape)), (H, W): electrons that fly straight count if they escape."""
    return signal * (np.float32(1) - strength * (np.float32(1) - escape))


def compute_escape(
    height: Plane, surroundings: Plane, normal: NDArray[np.float32], wanted: NDArray[np.bool_], reach: float
) -> Plane:
    """Return the share (H, W), 0 … 1, of the electrons of each facet that pass the surroundings; 1 if not `wanted`.

    Emission follows Lambert's law in each vertical section: between the elevations b and 90 degrees lies the part
    n_h (1 - sin b) + n_z cos b, n_h the component of the normal in the section. Electrons start above the facet's own
    plane and above the horizontal (a), and leave above the horizon h of the surroundings; the share is the sum of the
    parts above max(a, h) over that of the parts above a. So a convex body does not shade itself, a level point loses
    what stands above it, and facets that meet lose all. The detector's field bends the electrons up along parabolas: an
    obstacle of height z at the distance x counts as if it stood z - x^2 / reach high (for low elevations). Yield and
    collection: L. Reimer, Scanning Electron Microscopy, 2nd ed., 1998, section 4.2 and chapter 5.

    `height` of the visible surface and of the `surroundings` (the same unless bodies that the camera does not see are
    present), (H, W), and `reach` in pixels; unit normals (H, W, 3), z towards the column.
    """
    emitted, free = _sum_sections(height, surroundings, normal, wanted, DIRECTIONS, reach)
    return np.where(emitted > 0, free / np.maximum(emitted, MIN_EMISSION), 1).astype(np.float32)


@kernel
def _sum_sections(
    height: NDArray[np.float32],
    surroundings: NDArray[np.float32],
    normal: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    directions: NDArray[np.int64],
    reach: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what leaves each facet upwards and what of it passes the surroundings, sums over sections, (H, W)."""
    rows, columns = height.shape
    emitted, free = np.zeros((rows, columns)), np.zeros((rows, columns))
    places, levels = np.empty(rows + columns), np.empty(rows + columns)
    for right, up in directions:
        for row in range(rows):
            for column in range(columns):
                # Sections end where the next step would leave the picture, and are followed back from there.
                if not (0 <= row - up < rows and 0 <= column + right < columns):
                    _follow_section(height, surroundings, normal, wanted, (row, column), (right, up), reach, places,
                                    levels, emitted, free)  # fmt: skip
    return emitted, free


@kernel
def _follow_section(
    height: NDArray[np.float32],
    surroundings: NDArray[np.float32],
    normal: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    end: tuple[int, int],
    direction: tuple[int, int],
    reach: float,
    places: NDArray[np.float64],
    levels: NDArray[np.float64],
    emitted: NDArray[np.float64],
    free: NDArray[np.float64],
) -> None:
    """Add the electrons of one section to `emitted` and `free`, (H, W), in place.

    `places` and `levels` hold the upper convex hull of what lies ahead, whose tangent through a point is the horizon:
    constant time for each point. Heights are lowered by p^2 / reach, p the place along the section, which turns the
    parabolas into straight lines: z / x - x / reach = (lowered z) / x + 2 p / reach. `depth` is how far the visible
    surface lies below bodies that are not seen.
    """
    rows, columns = height.shape
    (row, column), (right, up) = end, direction
    step = math.sqrt(right * right + up * up)
    size, place = 0, 0.0
    while 0 <= row < rows and 0 <= column < columns:
        level = surroundings[row, column] - place * place / reach
        ahead, size = size, _find_tangent(places, levels, size, place, level) + 1
        if wanted[row, column]:
            across = (normal[row, column, 0] * right + normal[row, column, 1] * up) / step
            z = max(float(normal[row, column, 2]), 0.0)
            # Above the facet's own plane where that rises ahead, else above the horizontal.
            part = math.sqrt(across * across + z * z) + across if across < 0.0 else across + z
            emitted[row, column] += part
            depth = surroundings[row, column] - height[row, column]
            seen = size - 1 if depth == 0.0 else _find_tangent(places, levels, ahead, place, level - depth)
            if seen >= 0:
                run = places[seen] - place
                rise = levels[seen] - (level - depth) + 2.0 * place * run / reach
                if rise > 0.0 and rise * z > -across * run:
                    length = math.sqrt(rise * rise + run * run)
                    part = max(across * (1.0 - rise / length) + z * (run / length), 0.0)
            free[row, column] += part
        places[size], levels[size] = place, level
        size, row, column, place = size + 1, row + up, column - right, place - step


@kernel
def _find_tangent(
    places: NDArray[np.float64], levels: NDArray[np.float64], size: int, place: float, level: float
) -> int:
    """Return which of the `size` entries of a hull is steepest, seen from a point behind them; -1 of none."""
    last = size - 1
    while last > 0 and (levels[last - 1] - level) * (places[last] - place) >= (levels[last] - level) * (
        places[last - 1] - place
    ):
        last -= 1
    return last
