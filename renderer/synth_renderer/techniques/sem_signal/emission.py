"""Emission of a surface towards the detector, from the surface's tilt alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.techniques.sem_signal.samples import Samples

_TABLE_STEPS: Final = 4096
"""Steps of n_z in the yield's table."""


@dataclass(frozen=True)
class Emission:
    """Factor on grey of a facet with the unit normal n, z towards the column: (1 + s e) (1 + a (n . d)).

    e = (max(n_z, c)^-p - 1) / (c^-p - 1) is the tilt yield, 0 for a facet that faces the beam and 1 at the rim: the
    yield grows like 1 / cos of the tilt (L. Reimer, Scanning Electron Microscopy, 2nd ed., 1998, section 4.2.1), c
    limits the rim. d is the horizontal unit vector towards the detector (chapter 6).
    """

    strength: float
    """s; 0 is off, below 0 the rim is darker."""
    cutoff: float
    """c, a cosine in (0, 1)."""
    exponent: float
    """p > 0."""
    azimuth: float
    """Of d, degrees from +x towards +y."""
    asymmetry: float
    """a; 0 is off."""

    @property
    def table(self) -> NDArray[np.float64]:
        """Yield 1 + s e at equal steps of n_z from 0 to 1, one entry more than steps; e is rounded to float32."""
        cosines = np.maximum(np.arange(_TABLE_STEPS + 1) / _TABLE_STEPS, self.cutoff)
        limit = self.cutoff**-self.exponent
        rise = np.array([(cosine**-self.exponent - 1.0) / (limit - 1.0) for cosine in cosines.tolist()])
        return np.asarray(1.0 + self.strength * rise.astype(np.float32).astype(np.float64))

    @property
    def side(self) -> tuple[float, float]:
        """Vector a d (x, y); cosine and sine are rounded to float32."""
        angle = math.radians(self.azimuth)
        return (
            self.asymmetry * float(np.float32(math.cos(angle))),
            self.asymmetry * float(np.float32(math.sin(angle))),
        )


@dataclass(frozen=True)
class Pixels:
    """Means over the samples of each pixel, (H, W) float32 each."""

    signal: NDArray[np.float32]
    """Grey of the particles; samples on the ground count as 0."""
    coverage: NDArray[np.float32]
    """Share of the samples on particles, 0 … 1."""
    height: NDArray[np.float32]
    """Height above the ground's plane, scene units; samples on the ground count as 0."""


def gather_pixels(
    samples: Samples, levels: NDArray[np.float64], emission: Emission, per_side: int, transparency: float = 0.0
) -> Pixels:
    """Average the samples of each pixel: a sample's grey is its body's level times its own factor and (emission - t).

    levels (N,), parts of full white; `per_side` samples along each side of a pixel. t is the `transparency`, 0 … 1: a
    beam of high voltage passes the particle, and the share t of a level facet's grey is that of the ground below it;
    what tilt adds at the rim stays (L. Reimer, Scanning Electron Microscopy, 2nd ed., 1998, chapter 4).
    """
    return Pixels(*_gather_pixels(samples.ids, samples.height, samples.normal, samples.grey, levels, emission.table,
                                  emission.side, transparency, per_side))  # fmt: skip


def compute_emission(normal: NDArray[np.float32], emission: Emission) -> NDArray[np.float32]:
    """Return the emission (H, W) of unit normals (H, W, 3), 1 for a level facet."""
    return _compute_emission(normal, emission.table, emission.side)


@kernel
def _gather_pixels(
    ids: NDArray[np.uint16],
    height: NDArray[np.float32],
    normal: NDArray[np.float32],
    grey: NDArray[np.float32],
    levels: NDArray[np.float64],
    table: NDArray[np.float64],
    side: tuple[float, float],
    transparency: float,
    per_side: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return signal, coverage and height (H, W) of samples (H s, W s), s = per_side, for table and side of Emission."""
    rows, columns = ids.shape[0] // per_side, ids.shape[1] // per_side
    signal, coverage = np.empty((rows, columns), dtype=np.float32), np.empty((rows, columns), dtype=np.float32)
    mean_height = np.empty((rows, columns), dtype=np.float32)
    share = 1.0 / (per_side * per_side)
    for row in range(rows):
        for column in range(columns):
            total, total_height, count = 0.0, 0.0, 0
            for y in range(row * per_side, (row + 1) * per_side):
                for x in range(column * per_side, (column + 1) * per_side):
                    if ids[y, x] > 0:
                        count += 1
                        total_height += height[y, x]
                        emitted = grey[y, x] * (_look_up_yield(normal[y, x], table, side) - transparency)
                        total += levels[ids[y, x] - 1] * emitted
            signal[row, column], coverage[row, column] = total * share, count * share
            mean_height[row, column] = total_height * share
    return signal, coverage, mean_height


@kernel
def _look_up_yield(normal: NDArray[np.float32], table: NDArray[np.float64], side: tuple[float, float]) -> float:
    """Return the emission of one unit normal (3,), the tilt yield interpolated between two entries of the table."""
    place = min(max(float(normal[2]), 0.0), 1.0) * (len(table) - 1)
    entry = min(int(place), len(table) - 2)
    tilt = table[entry] + (place - entry) * (table[entry + 1] - table[entry])
    return float(tilt * (1.0 + (normal[0] * side[0] + normal[1] * side[1])))


@kernel
def _compute_emission(
    normal: NDArray[np.float32], table: NDArray[np.float64], side: tuple[float, float]
) -> NDArray[np.float32]:
    rows, columns = normal.shape[:2]
    result = np.empty((rows, columns), dtype=np.float32)
    for row in range(rows):
        for column in range(columns):
            result[row, column] = _look_up_yield(normal[row, column], table, side)
    return result
