"""Spheres with spikes: cones on a core, as sea urchins and nanostars have them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.planes import draw_spread_directions
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.geometry.casting import Surface

SPIKE_WORD: Final = np.uint64(2**42)
"""Word of the shape's seed from which the key of the spikes' lengths derives."""
MAX_BASE: Final = 0.95
"""Largest radius of a spike's base over the radius of the core."""


def cast_spikes(
    directions: NDArray[np.float64],
    proportions: NDArray[np.float64],
    count: int,
    width: float,
    core: float,
    variation: float,
    seed: np.uint64,
) -> Surface:
    """Cast a core with `count` cones of the base diameter `width`, and stretch the whole, of diameter 1, to
    `proportions` (3,).

    `core` is the core's diameter; tips lie at up to the share `variation` of the way from the outermost to the core.
    The longest spike is the first. The direction of the grid (V, 3) next to a tip moves onto it.
    """
    axes = draw_spread_directions(count, seed)
    key = np.uint64(draw_word(seed, SPIKE_WORD))
    shares = np.array([float(draw_uniform(key, np.uint64(spike))) for spike in range(count)])
    shares[0] = 0.0
    tips = 0.5 - variation * (0.5 - core / 2) * shares
    moved = directions.copy()
    _move_to_axes(moved, axes)
    return _cast_cones(moved, proportions, axes, tips, core / 2, min(width / 2, MAX_BASE * core / 2))


@kernel
def _move_to_axes(directions: NDArray[np.float64], axes: NDArray[np.float64]) -> None:
    """Replace the direction (V, 3) nearest to each axis (S, 3) by it, in place."""
    for s in range(len(axes)):
        nearest, best = 0, -2.0
        for v in range(len(directions)):
            cosine = directions[v, 0] * axes[s, 0] + directions[v, 1] * axes[s, 1] + directions[v, 2] * axes[s, 2]
            if cosine > best:
                nearest, best = v, cosine
        directions[nearest] = axes[s]


@kernel
def _cast_cones(
    directions: NDArray[np.float64],
    proportions: NDArray[np.float64],
    axes: NDArray[np.float64],
    tips: NDArray[np.float64],
    core: float,
    base: float,
) -> Surface:
    """Cast cones with tips at `tips` (S,) along `axes` (S, 3), whose bases of radius `base` lie on a sphere `core`.

    In the plane of axis and ray a cone is the line across = m (tip - along), with m = base / (tip - along of the base).
    The ray at the angle p to the axis meets it at m tip / (sin p + m cos p).
    """
    points, normals = np.empty_like(directions), np.empty_like(directions)
    height = math.sqrt(core * core - base * base)
    for v in range(len(directions)):
        reach, slope, outermost = core, 0.0, -1
        for s in range(len(axes)):
            cosine = directions[v, 0] * axes[s, 0] + directions[v, 1] * axes[s, 1] + directions[v, 2] * axes[s, 2]
            if cosine * core <= height:
                continue
            sine = math.sqrt(max(1.0 - cosine * cosine, 0.0))
            m = base / max(tips[s] - height, 1e-9)
            far = m * tips[s] / (sine + m * cosine)
            if far > reach:
                reach, slope, outermost = far, m, s
        _write_cone(points[v], normals[v], directions[v], axes, outermost, slope, reach, proportions)
    return points, normals


@kernel
def _write_cone(
    point: NDArray[np.float64],
    normal: NDArray[np.float64],
    direction: NDArray[np.float64],
    axes: NDArray[np.float64],
    spike: int,
    slope: float,
    reach: float,
    proportions: NDArray[np.float64],
) -> None:
    """Write point and unit normal (3,) at `reach` on a spike, or on the core for spike -1, stretched."""
    cosine = 0.0
    if spike >= 0:
        for axis in range(3):
            cosine += direction[axis] * axes[spike, axis]
    sine = math.sqrt(max(1.0 - cosine * cosine, 0.0))
    square = 0.0
    for axis in range(3):
        n = direction[axis]
        if spike >= 0:
            across = (direction[axis] - cosine * axes[spike, axis]) / sine if sine > 1e-6 else 0.0
            n = slope * axes[spike, axis] + across
        normal[axis] = n / proportions[axis]
        point[axis] = reach * direction[axis] * proportions[axis]
        square += normal[axis] * normal[axis]
    normal /= math.sqrt(square)
