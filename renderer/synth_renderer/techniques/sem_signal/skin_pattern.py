"""Patterned skin of particles: a pattern that is fixed to the particle moves its surface and changes its grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.sem_signal.patterns import BANDS, FACETS, NONE, evaluate_pattern
from synth_renderer.techniques.sem_signal.skin import MIN_WAVE_PIXELS, tilt_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.techniques.sem_signal.samples import Samples

MAX_SLOPE: Final = 3.0
"""Steepest slope along an axis of the picture, height over length: a steeper wall looks the same."""


@dataclass(frozen=True)
class SkinPatterns:
    """Patterns of N bodies, (N,) each; lengths in scene units."""

    radii: NDArray[np.float64]
    """Half the size of each body."""
    kinds: NDArray[np.int64]
    """Numbers of the patterns."""
    strengths: NDArray[np.float64]
    scales: NDArray[np.float64]
    """Above 0."""
    stretches: NDArray[np.float64]
    """Length of the pattern's elements over their width, along the body's longest axis."""
    keys: NDArray[np.uint64]
    """SplitMix64 keys."""


def cover_with_patterns(samples: Samples, bodies: Bodies, patterns: SkinPatterns, camera: Camera) -> None:
    """Change height, normals and grey of `samples` in place by the pattern of each body.

    The surface moves along the beam; ids, and with them outlines, stay. The normal n becomes n - (g - (g . n) n),
    normalised: g = (dh/dx, dh/dy, 0) is the gradient of the height h that the picture shows, its part along the surface
    the slope. A pattern finer than can be seen is left out.
    """
    assert camera.ortho_scale is not None
    pixel = camera.ortho_scale / max(camera.width, camera.height)
    kinds = np.where(patterns.scales > MIN_WAVE_PIXELS * pixel, patterns.kinds, NONE)
    if not kinds.any():
        return
    step = camera.ortho_scale / max(samples.ids.shape)
    relief = np.zeros_like(samples.height)
    frames = _build_frames(bodies, kinds)
    _evaluate_samples(samples.ids, samples.height, samples.normal, samples.grey, relief, kinds, patterns.radii,
                      patterns.strengths, patterns.scales, patterns.stretches, frames, bodies.locations,
                      patterns.keys, step)  # fmt: skip
    _tilt_samples(samples.ids, relief, samples.normal, kinds, step)
    np.add(samples.height, relief, out=samples.height)


def _build_frames(bodies: Bodies, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the axes (N, 3, 3) of the bodies with a pattern as columns, world frame, the longest one last.

    The others keep their order, so the frame stays right-handed.
    """
    frames = np.zeros((len(bodies), 3, 3))
    for body in np.flatnonzero(kinds):
        extents = bodies.meshes[bodies.mesh_index[body]].extents * bodies.scales[body]
        longest = int(np.argmax(extents))
        frames[body] = rotation_matrix(bodies.quaternions[body])[:, [(longest + turn) % 3 for turn in (1, 2, 3)]]
    return frames


@kernel
def _evaluate_samples(
    ids: NDArray[np.uint16],
    height: NDArray[np.float32],
    normal: NDArray[np.float32],
    grey: NDArray[np.float32],
    relief: NDArray[np.float32],
    kinds: NDArray[np.int64],
    radii: NDArray[np.float64],
    strengths: NDArray[np.float64],
    scales: NDArray[np.float64],
    stretches: NDArray[np.float64],
    frames: NDArray[np.float64],
    locations: NDArray[np.float64],
    keys: NDArray[np.uint64],
    step: float,
) -> None:
    """Write the pattern's height, scene units, into `relief` and multiply `grey` where `ids` show a patterned body.

    Facets are cells of the normal, which is the same all over a flat facet; bands follow the scan lines.
    """
    rows, columns = ids.shape
    for row in range(rows):
        for column in range(columns):
            body = int(ids[row, column]) - 1
            if body < 0 or kinds[body] == NONE:
                continue
            kind, scale = kinds[body], scales[body]
            x = (column + 0.5 - 0.5 * columns) * step - locations[body, 0]
            y = (0.5 * rows - row - 0.5) * step - locations[body, 1]
            z = height[row, column] - locations[body, 2]
            if kind == BANDS:
                h, factor = evaluate_pattern(kind, keys[body], y / scale, 0.0, 0.0, strengths[body])
            else:
                if kind == FACETS:
                    x = radii[body] * normal[row, column, 0]
                    y = radii[body] * normal[row, column, 1]
                    z = radii[body] * normal[row, column, 2]
                frame = frames[body]
                u = (frame[0, 0] * x + frame[1, 0] * y + frame[2, 0] * z) / scale
                v = (frame[0, 1] * x + frame[1, 1] * y + frame[2, 1] * z) / scale
                w = (frame[0, 2] * x + frame[1, 2] * y + frame[2, 2] * z) / (scale * stretches[body])
                h, factor = evaluate_pattern(kind, keys[body], u, v, w, strengths[body])
            relief[row, column] = h * scale
            grey[row, column] *= factor


@kernel
def _tilt_samples(
    ids: NDArray[np.uint16],
    relief: NDArray[np.float32],
    normal: NDArray[np.float32],
    kinds: NDArray[np.int64],
    step: float,
) -> None:
    """Tilt `normal` (H, W, 3) in place by the differences of `relief` (H, W) between neighbours on the same body."""
    rows, columns = ids.shape
    for row in range(rows):
        for column in range(columns):
            body = ids[row, column]
            if body == 0 or kinds[body - 1] == NONE:
                continue
            left = column - 1 if column > 0 and ids[row, column - 1] == body else column
            right = column + 1 if column + 1 < columns and ids[row, column + 1] == body else column
            upper = row - 1 if row > 0 and ids[row - 1, column] == body else row
            lower = row + 1 if row + 1 < rows and ids[row + 1, column] == body else row
            across = (relief[row, right] - relief[row, left]) / (max(right - left, 1) * step)
            up = (relief[upper, column] - relief[lower, column]) / (max(lower - upper, 1) * step)
            across, up = min(max(across, -MAX_SLOPE), MAX_SLOPE), min(max(up, -MAX_SLOPE), MAX_SLOPE)
            tilt_normal(normal[row, column], across, up, 0.0)
