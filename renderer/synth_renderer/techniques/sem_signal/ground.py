"""The ground between the particles: its grey and its relief. Nothing of it is labelled.

Places are in parts of the frame's longer side, so another resolution shows the same ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import fractal, value
from synth_renderer.techniques.sem_signal import ground_relief
from synth_renderer.techniques.sem_signal.emission import emitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from synth_renderer.techniques.sem_signal.emission import Emission

    Plane = NDArray[np.float32]
    KeyOf = Callable[[str], np.uint64]
    """A feature's name -> its stream."""

TEXTURE_OCTAVES: Final = 6
TEXTURE_GAIN: Final = 0.6
"""Strength of an octave over the next wider one's."""


@dataclass(frozen=True)
class Ground:
    """Grey of the level ground and height above its plane in pixels, (H, W) both."""

    level: Plane
    height: Plane

    def emitting(self, emission: Emission) -> Plane:
        """Grey (H, W) with the relief's tilt."""
        return self.level * emitted(_normals(self.height), emission) if self.height.any() else self.level


def structured(features: Mapping[str, float], height: int, width: int, key_of: KeyOf) -> Ground:
    """The ground of material `sem_ground`: level, gradient and texture, then every relief whose feature is not 0."""
    level = sloping(height, width, features["ground_level"], features["ground_gradient"], features["ground_azimuth"])
    frame = max(height, width)
    if features["ground_texture"] > 0:
        step = features["ground_texture_scale"] * frame / 2
        texture = fractal(key_of("ground_texture"), height, width, step, TEXTURE_OCTAVES, TEXTURE_GAIN)
        level += np.float32(features["ground_texture"]) * texture
    relief = np.zeros((height, width), dtype=np.float32)
    azimuth = features["ground_azimuth"]
    if features["ground_terraces"] > 0:
        ground_relief.add_terraces(level, relief, key_of("ground_terraces"), features["ground_terraces"],
                                   *_direction(azimuth))  # fmt: skip
    if features["ground_scratches"] > 0:
        ground_relief.add_scratches(level, relief, key_of("ground_scratches"), features["ground_scratches"], azimuth)
    if features["ground_pores"] > 0:
        ground_relief.add_spots(level, relief, key_of("ground_pores"), features["ground_pores"],
                                features["ground_pore_size"] * frame, ground_relief.PORE)  # fmt: skip
    if features["ground_crumbs"] > 0:
        ground_relief.add_spots(level, relief, key_of("ground_crumbs"), features["ground_crumbs"],
                                features["ground_crumb_size"] * frame, ground_relief.CRUMB)  # fmt: skip
    return Ground(np.maximum(level, np.float32(0)), relief)


def patchy(features: Mapping[str, float], height: int, width: int) -> Ground:
    """The ground of material `sem_patchy_silicone`: dark, with threads along one level of a wavy field."""
    step = max(height, width) / features["patch_scale"]
    level = _threads(_stream_key(features["patch_seed"]), height, width, step)
    return Ground(level, np.zeros((height, width), dtype=np.float32))


def _stream_key(seed: float) -> np.uint64:
    """A key of its own for every seed: whole numbers modulo 2^64, of others the bits of the float64."""
    return np.uint64(int(seed) % 2**64) if seed.is_integer() else np.float64(seed).view(np.uint64)


def plain(level: float, height: int, width: int) -> Ground:
    """Level ground of one grey."""
    return Ground(np.full((height, width), level, dtype=np.float32), np.zeros((height, width), dtype=np.float32))


def sloping(height: int, width: int, level: float, gradient: float, azimuth: float) -> Plane:
    """Grey that is `level` in the middle and rises by `gradient` across the frame, (H, W); azimuth in degrees."""
    frame, (x, y) = max(height, width), _direction(azimuth)
    columns = ((np.arange(width) + 0.5) / frame - 0.5 * width / frame) * x
    rows = (0.5 * height / frame - (np.arange(height) + 0.5) / frame) * y
    return np.asarray(level + gradient * (rows[:, None] + columns[None, :]), dtype=np.float32)


def _direction(azimuth: float) -> tuple[float, float]:
    angle = math.radians(azimuth)
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))


THREAD_DARK, THREAD_BRIGHT = 0.04, 0.5
"""Greys of bare silicone and of the middle of a thread of residue."""


@kernel
def _threads(key: np.uint64, height: int, width: int, step: float) -> NDArray[np.float32]:
    level = np.empty((height, width), dtype=np.float32)
    for row in range(height):
        for column in range(width):
            x, y = (column + 0.5) / step, (row + 0.5) / step
            bent = value(key + np.uint64(1), x, y)
            off = abs(value(key, x + 0.6 * bent, y - 0.6 * bent) - 0.3) / 0.09
            level[row, column] = THREAD_DARK + (THREAD_BRIGHT - THREAD_DARK) * max(1.0 - off, 0.0)
    return level


@kernel
def _normals(height: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = height.shape
    normal = np.empty((rows, columns, 3), dtype=np.float32)
    for row in range(rows):
        for column in range(columns):
            across = height[row, min(column + 1, columns - 1)] - height[row, max(column - 1, 0)]
            down = height[min(row + 1, rows - 1), column] - height[max(row - 1, 0), column]
            x, y = -0.5 * across, 0.5 * down
            length = math.sqrt(x * x + y * y + 1.0)
            normal[row, column] = x / length, y / length, 1.0 / length
    return normal
