"""Diffraction contrast: the share of the beam that a crystal scatters into Bragg reflections, grain by grain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRECTION_DRAWS: Final = np.uint64(8)
"""Places in a particle's stream before those of its grains."""
DRAWS_PER_GRAIN: Final = np.uint64(8)
"""Places in a particle's stream that belong to one grain: its middle, and the tilts of it and of its twin."""


@dataclass(frozen=True)
class Crystals:
    """Lattices of N particles, (N,) each; lengths in sizes of the particle."""

    contrasts: NDArray[np.float64]
    """Largest share of the beam that a reflection takes, 0 … 1; 0 is amorphous."""
    extinctions: NDArray[np.float64]
    """Extinction distance."""
    tilts: NDArray[np.float64]
    """Largest deviation w of a grain from the Bragg condition."""
    bends: NDArray[np.float64]
    """Change of w across the particle."""
    grains: NDArray[np.int64]
    """Grains, from 1 on."""
    twins: NDArray[np.int64]
    """Twin lamellae in each grain; 0 is none."""
    keys: NDArray[np.uint64]
    """SplitMix64 keys."""


@kernel
def compute_reflected_share(thickness: float, w: float) -> float:
    """Return sin^2(pi t sqrt(1 + w^2)) / (1 + w^2): the part of the beam in the reflection, of two beams.

    `thickness` t is in extinction distances, w = s xi the deviation from the Bragg condition (L. Reimer, H. Kohl,
    Transmission Electron Microscopy, 5th ed., 2008, section 7.2; D. Williams, C. B. Carter, Transmission Electron
    Microscopy, 2nd ed., 2009, chapter 13). The sine is rounded to float32.
    """
    square = 1.0 + w * w
    sine = float(np.float32(math.sin(math.pi * thickness * math.sqrt(square))))
    return sine * sine / square


@kernel
def draw_grains(key: np.uint64, count: int, tilt: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return middles (count, 3), sizes of the particle from its centre, and deviations w (count, 2) of grain and twin.

    The middles are uniform in the cube of the particle's size, the deviations in -`tilt` … `tilt`.
    """
    middles, deviations = np.empty((count, 3)), np.empty((count, 2))
    for grain in range(count):
        first = DIRECTION_DRAWS + np.uint64(grain) * DRAWS_PER_GRAIN
        for axis in range(3):
            middles[grain, axis] = draw_uniform(key, first + np.uint64(axis)) - 0.5
        for twin in range(2):
            deviations[grain, twin] = tilt * (2.0 * draw_uniform(key, first + np.uint64(3 + twin)) - 1.0)
    return middles, deviations


@kernel
def draw_direction(key: np.uint64, first: int) -> NDArray[np.float64]:
    """Return a unit vector (3,) from three places of a stream: a point of the cube, not the same in all directions."""
    direction = np.empty(3)
    square = 1e-12
    for axis in range(3):
        direction[axis] = 2.0 * draw_uniform(key, np.uint64(first + axis)) - 1.0
        square += direction[axis] * direction[axis]
    direction /= math.sqrt(square)
    return direction


@kernel
def find_grain(middles: NDArray[np.float64], x: float, y: float, z: float) -> int:
    """Return the number of the grain whose middle (G, 3) is the nearest."""
    nearest, least = 0, np.inf
    for grain in range(len(middles)):
        dx, dy, dz = x - middles[grain, 0], y - middles[grain, 1], z - middles[grain, 2]
        square = dx * dx + dy * dy + dz * dz
        if square < least:
            nearest, least = grain, square
    return nearest


@kernel
def multiply_by_passing_share(
    passing: NDArray[np.float32],
    entry: NDArray[np.float64],
    leaving: NDArray[np.float64],
    length: NDArray[np.float64],
    corner: tuple[float, float, float],
    step: float,
    size: float,
    rotation: NDArray[np.float64],
    contrast: float,
    extinction: float,
    tilt: float,
    bend: float,
    grains: int,
    twins: int,
    key: np.uint64,
) -> None:
    """Multiply the part of the beam that passes, (h, w), by 1 - contrast x reflected share of one body, in place.

    entry, leaving, length (h, w) are those of its paths; `corner` is x and y of the first sample and the height of the
    camera from its centre, scene units; `rotation` (3, 3) from its frame to the world's. A ray has the grain at the
    middle of its path; w is the grain's, plus `bend` times the place along a direction of the particle.
    """
    middles, deviations = draw_grains(key, grains, tilt)
    across, normal = draw_direction(key, 0), draw_direction(key, 3)
    left, top, camera = corner
    for row in range(length.shape[0]):
        for column in range(length.shape[1]):
            if length[row, column] <= 0.0:
                continue
            x, y = (left + column * step) / size, (top - row * step) / size
            z = (camera - 0.5 * (entry[row, column] + leaving[row, column])) / size
            p = rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0] * z
            q = rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1] * z
            r = rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2] * z
            grain = find_grain(middles, p, q, r) if grains > 1 else 0
            twin = 0
            if twins > 0:
                twin = math.floor((p * normal[0] + q * normal[1] + r * normal[2] + 0.5) * (twins + 1)) % 2
            w = deviations[grain, twin] + bend * (p * across[0] + q * across[1] + r * across[2])
            share = compute_reflected_share(length[row, column] / (size * extinction), w)
            passing[row, column] *= 1.0 - contrast * share
