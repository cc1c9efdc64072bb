"""The ground between the particles: its grey and its relief. No label shows it.

Places and lengths are in parts of the frame's longer side, so another resolution shows the same ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import build_fractal, plane_noise
from synth_renderer.techniques.sem_signal import ground_relief
from synth_renderer.techniques.sem_signal.emission import compute_emission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_renderer.techniques.imaging.scene_values import KeyOf
    from synth_renderer.techniques.sem_signal.emission import Emission

    Plane = NDArray[np.float32]

TEXTURE_OCTAVES: Final = 6
"""Octaves of the fractal texture; those finer than a pixel are left out."""
TEXTURE_GAIN: Final = 0.6
"""Strength of an octave over that of the next wider one."""
BAND_LEVEL: Final = 0.3
"""Grey of the brightest line of a band."""
BAND_LOW: Final = 0.81
"""Grey of its darkest line, parts of that."""
BAND_RADIANS: Final = 10.0
"""Phase of the bands across the frame."""
THREAD_DARK, THREAD_BRIGHT = 0.04, 0.5
"""Greys of bare silicone and of the middle of a thread of residue."""
THREAD_LEVEL: Final = 0.3
"""Value of the wavy field along which a thread runs."""
THREAD_HALF_WIDTH: Final = 0.09
"""Difference of the field's value from the middle of a thread to its edge."""
THREAD_WARP: Final = 0.6
"""Displacement of the field by a second field, lattice steps; it bends the threads."""


@dataclass(frozen=True)
class Ground:
    """Grey of the level ground and height above its plane in pixels, (H, W) both."""

    level: Plane
    height: Plane

    def compute_signal(self, emission: Emission) -> Plane:
        """Return the grey (H, W): the level times the emission of the relief's slopes."""
        return (
            self.level * compute_emission(_compute_normals(self.height), emission) if self.height.any() else self.level
        )


def build_structured_ground(
    features: Mapping[str, float], pattern: int, height: int, width: int, key_of: KeyOf
) -> Ground:
    """Return the ground of material `sem_ground`: level, gradient and texture, then each relief with a feature above 0.

    `features` are the material's numbers, `pattern` the number of its pattern; height and width of the picture in
    pixels.
    """
    level = build_gradient(
        height, width, features["ground_level"], features["ground_gradient"], features["ground_azimuth"]
    )
    frame = max(height, width)
    if features["ground_texture"] > 0:
        step = features["ground_texture_scale"] * frame / 2
        texture = build_fractal(key_of("ground_texture"), height, width, step, TEXTURE_OCTAVES, TEXTURE_GAIN)
        level += np.float32(features["ground_texture"]) * texture
    relief = np.zeros((height, width), dtype=np.float32)
    azimuth = features["ground_azimuth"]
    if features["ground_terraces"] > 0:
        ground_relief.add_terraces(level, relief, key_of("ground_terraces"), features["ground_terraces"],
                                   *_compute_direction(azimuth))  # fmt: skip
    if pattern:
        ground_relief.add_pattern(level, relief, key_of("ground_pattern"), pattern, features["ground_pattern_strength"],
                                  features["ground_pattern_scale"] * frame, features["ground_pattern_stretch"],
                                  _compute_direction(azimuth))  # fmt: skip
    if features["ground_scratches"] > 0:
        ground_relief.add_scratches(level, relief, key_of("ground_scratches"), features["ground_scratches"], azimuth)
    if features["ground_pores"] > 0:
        ground_relief.add_spots(level, relief, key_of("ground_pores"), features["ground_pores"],
                                features["ground_pore_size"] * frame, ground_relief.PORE)  # fmt: skip
    if features["ground_crumbs"] > 0:
        ground_relief.add_spots(level, relief, key_of("ground_crumbs"), features["ground_crumbs"],
                                features["ground_crumb_size"] * frame, ground_relief.CRUMB)  # fmt: skip
    return Ground(np.maximum(level, np.float32(0)), relief)


def build_patchy_ground(features: Mapping[str, float], height: int, width: int) -> Ground:
    """Return the ground of material `sem_patchy_silicone`: dark, with threads along one level of a wavy field.

    `patch_scale` is the number of the field's lattice steps across the frame, `patch_seed` its key.
    """
    step = max(height, width) / features["patch_scale"]
    level = _draw_threads(_make_key(features["patch_seed"]), height, width, step)
    return Ground(level, np.zeros((height, width), dtype=np.float32))


def build_banded_ground(height: int, width: int) -> Ground:
    """Return the ground of material `band_noise`: soft level bands from the left to the right, without relief.

    The grey is BAND_LEVEL (low + (1 - low) (1 - cos(10 y)) / 2), low = BAND_LOW and y from 0 at the bottom to 1 at the
    top of a square as wide as the frame (Blender's wave texture of scale 0.5: 20 radians times the scale).
    """
    frame = max(height, width)
    angles = BAND_RADIANS * (0.5 + (0.5 * height - np.arange(height) - 0.5) / frame)
    waves = np.array([math.cos(angle) for angle in angles.tolist()]).astype(np.float32)
    greys = BAND_LEVEL * (BAND_LOW + (1 - BAND_LOW) * 0.5 * (1 - waves.astype(np.float64)))
    level = np.repeat(greys.astype(np.float32)[:, None], width, axis=1)
    return Ground(level, np.zeros((height, width), dtype=np.float32))


def _make_key(seed: float) -> np.uint64:
    """Return a different key for each seed: a whole number modulo 2^64, of a fraction the bits of the float64."""
    return np.uint64(int(seed) % 2**64) if seed.is_integer() else np.float64(seed).view(np.uint64)


def build_plain_ground(level: float, height: int, width: int) -> Ground:
    """Return a ground of one grey, `level` (parts of full white), without relief."""
    return Ground(np.full((height, width), level, dtype=np.float32), np.zeros((height, width), dtype=np.float32))


def build_gradient(height: int, width: int, level: float, gradient: float, azimuth: float) -> Plane:
    """Return a grey (H, W) that is `level` in the middle and rises by `gradient` across the frame.

    `azimuth` is the direction of the rise, degrees from +x (right) towards +y (up).
    """
    frame, (x, y) = max(height, width), _compute_direction(azimuth)
    columns = ((np.arange(width) + 0.5) / frame - 0.5 * width / frame) * x
    rows = (0.5 * height / frame - (np.arange(height) + 0.5) / frame) * y
    return np.asarray(level + gradient * (rows[:, None] + columns[None, :]), dtype=np.float32)


def _compute_direction(azimuth: float) -> tuple[float, float]:
    """Return the unit vector (right, up) of an azimuth in degrees, rounded to float32."""
    angle = math.radians(azimuth)
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))


@kernel
def _draw_threads(key: np.uint64, height: int, width: int, step: float) -> NDArray[np.float32]:
    """Return the grey (H, W) of threads: bright where a warped field is close to THREAD_LEVEL; `step` in px.

    The brightness falls linearly from the middle of a thread to its edge.
    """
    level = np.empty((height, width), dtype=np.float32)
    for row in range(height):
        for column in range(width):
            x, y = (column + 0.5) / step, (row + 0.5) / step
            warp = plane_noise(key + np.uint64(1), x, y)
            field = plane_noise(key, x + THREAD_WARP * warp, y - THREAD_WARP * warp)
            distance = abs(field - THREAD_LEVEL) / THREAD_HALF_WIDTH
            level[row, column] = THREAD_DARK + (THREAD_BRIGHT - THREAD_DARK) * max(1.0 - distance, 0.0)
    return level


@kernel
def _compute_normals(height: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit normals (H, W, 3), x right, y up, z out, of a relief (H, W) in pixels, by central differences.

    At the border the differences are one-sided over one pixel and still halved.
    """
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
