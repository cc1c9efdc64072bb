"""Patterns of a surface: height and relative grey at a point of space, for skins of particles and for grounds.

A pattern is a pure function of a key, of a point (x, y, z) in units of its scale, and of its strength s. It returns the
height in the same unit, positive outwards, and the factor on the grey. What is long lies along z. In a gap of half
width R the grey at depth D has the factor R^2 / (R^2 + D^2): the part of the electrons that leaves a round hole from
the middle of its floor, if emission follows Lambert's law. It is the configuration factor from a point to a disc above
it (J. R. Howell, A Catalog of Radiation Heat Transfer Configuration Factors). The other shares and widths are such that
each pattern looks like its name; no measurement stands behind them.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from synth_api.prototypes.materials import PATTERNS
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, index_lattice_point
from synth_renderer.randomness.noise import find_cell, space_noise

(
    NONE,
    HONEYCOMB,
    PORES,
    DENTS,
    GRAINS,
    DUST,
    CRACKS,
    WRINKLES,
    FURROWS,
    STEPS,
    FLAKES,
    FIBRES,
    SCRATCHES,
    FACETS,
    BANDS,
    STAINS,
) = range(len(PATTERNS))
"""Numbers of the patterns in kernels: places in `PATTERNS`."""

FURROW_LENGTH: Final = 8.0
"""Length of furrows over their distance."""
_STEP_DIRECTION: Final = (0.55, 0.35, 0.76)
"""Direction in which growth steps follow each other, about a unit vector."""


@kernel
def evaluate_pattern(kind: int, key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Return height and factor on grey of the pattern with the number `kind` at a point."""
    if kind == BANDS:
        return 0.0, _evaluate_bands(key, x, strength)
    if kind == FURROWS:
        z /= FURROW_LENGTH
    # The lattices of the fields lie obliquely, so that no pattern follows the faces of a cube or the rows of a picture.
    x, y, z = (2.0 * x - y + 2.0 * z) / 3.0, (2.0 * x + 2.0 * y - z) / 3.0, (2.0 * y + 2.0 * z - x) / 3.0
    if kind == HONEYCOMB:
        return _evaluate_honeycomb(key, x, y, z, strength)
    if kind == PORES:
        return _evaluate_pores(key, x, y, z, strength)
    if kind == DENTS:
        return _evaluate_dents(key, x, y, z, strength)
    if kind == GRAINS:
        return _evaluate_grains(key, x, y, z, strength)
    if kind == DUST:
        return _evaluate_dust(key, x, y, z, strength)
    if kind == CRACKS:
        return _evaluate_cracks(key, x, y, z, strength)
    if kind in (WRINKLES, FURROWS):
        return _evaluate_wrinkles(key, x, y, z, strength)
    if kind == STEPS:
        return _evaluate_steps(key, x, y, z, strength)
    if kind == FLAKES:
        return _evaluate_flakes(key, x, y, z, strength)
    if kind == FIBRES:
        return _evaluate_fibres(key, x, y, z, strength)
    if kind == SCRATCHES:
        return _evaluate_scratches(key, x, y, z, strength)
    if kind == FACETS:
        return 0.0, _vary_grey(key, find_cell(key, x, y, z)[2], 0.5 * strength)
    if kind == STAINS:
        return 0.0, _evaluate_stains(key, x, y, z, strength)
    return 0.0, 1.0


@kernel
def _escape(depth: float, half_width: float) -> float:
    """Return the part of the electrons that leaves a gap of a half width, from the middle of its floor at a depth."""
    return half_width * half_width / (half_width * half_width + depth * depth)


@kernel
def _vary_grey(key: np.uint64, place: np.uint64, strength: float) -> float:
    """Return the factor of a cell, equally likely between 1 - strength and 1 + strength, at least 0.1."""
    return max(1.0 + strength * (2.0 * draw_uniform(key + np.uint64(9), place) - 1.0), 0.1)


@kernel
def _evaluate_honeycomb(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Walls of one height, slightly curved, around pores whose floors are 0.7 … 1.3 s deep."""
    u = x + 0.15 * space_noise(key + np.uint64(1), 1.5 * x, 1.5 * y, 1.5 * z)
    v = y + 0.15 * space_noise(key + np.uint64(2), 1.5 * x, 1.5 * y, 1.5 * z)
    nearest, second, place, _ = find_cell(key, u, v, z)
    t = min(max((second - nearest - 0.06) / 0.3, 0.0), 1.0)
    depth = strength * (0.7 + 0.6 * draw_uniform(key + np.uint64(9), place)) * t * t * (3.0 - 2.0 * t)
    return -depth, _escape(depth, 0.4)


@kernel
def _find_spot(
    key: np.uint64, x: float, y: float, z: float, chance: float, smallest: float, largest: float
) -> tuple[float, float, np.uint64]:
    """Return the distance to a ball's centre over its radius where that is least, its radius and its place.

    Each lattice cell holds a ball with this chance, of a radius between `smallest` and `largest`. Points up to half a
    step from a centre find it.
    """
    low = math.floor(x - 0.5), math.floor(y - 0.5), math.floor(z - 0.5)
    i, j, k = int(low[0]), int(low[1]), int(low[2])
    least, found, at = np.inf, 1.0, np.uint64(0)
    for p in range(i, i + 2):
        for q in range(j, j + 2):
            for r in range(k, k + 2):
                place = index_lattice_point(p, q, r) * np.uint64(5)
                if draw_uniform(key, place) >= chance:
                    continue
                radius = smallest + (largest - smallest) * draw_uniform(key, place + np.uint64(1))
                u = p + draw_uniform(key, place + np.uint64(2)) - x
                v = q + draw_uniform(key, place + np.uint64(3)) - y
                w = r + draw_uniform(key, place + np.uint64(4)) - z
                ratio = math.sqrt(u * u + v * v + w * w) / radius
                if ratio < least:
                    least, found, at = ratio, radius, place
    return least, found, at


@kernel
def _evaluate_pores(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Round holes with steep walls, s times as deep as wide."""
    ratio, radius, _ = _find_spot(key, x, y, z, 0.9, 0.2, 0.5)
    depth = 2.0 * strength * radius * min(max(4.0 * (1.0 - ratio), 0.0), 1.0)
    return -depth, _escape(depth, radius)


@kernel
def _evaluate_dents(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Bowls, s times as deep as half their width, with raised rims, in a surface that undulates."""
    ratio, radius, _ = _find_spot(key, x, y, z, 1.0, 0.12, 0.38)
    wave = 0.25 * strength * space_noise(key + np.uint64(1), 0.7 * x, 0.7 * y, 0.7 * z)
    depth = strength * radius * max(1.0 - ratio * ratio, 0.0)
    rim = (ratio - 1.15) / 0.15
    return wave - depth + 0.12 * strength * radius * max(1.0 - rim * rim, 0.0), _escape(depth, radius)


@kernel
def _evaluate_grains(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Caps of balls that touch, with creases between them; greys differ by 10 %."""
    nearest, _, place, _ = find_cell(key, x, y, z)
    depth = strength * (0.75 - math.sqrt(max(0.5625 - nearest * nearest, 0.0)))
    return -depth, _escape(depth, 0.45) * _vary_grey(key, place, 0.1)


@kernel
def _evaluate_dust(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Small balls on the surface, and some of half their size, each in a faint shadow of 1.6 times its radius."""
    shadow, scale = 1.0, 1.0
    for octave in range(2):
        own = key + np.uint64(octave)
        ratio, radius, place = _find_spot(own, x * scale, y * scale, z * scale, 0.8, 0.08, 0.3)
        if ratio < 1.0:
            return strength * radius * math.sqrt(1.0 - ratio * ratio) / scale, 1.1 * _vary_grey(own, place, 0.2)
        shadow *= 1.0 - 0.5 * max(1.6 - ratio, 0.0) / 0.6
        scale *= 2.0
    return 0.0, shadow


@kernel
def _evaluate_cracks(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Cracks between plates of an uneven outline, 0.35 s deep, that widen up to 0.1, close and end."""
    u = x + 0.25 * space_noise(key + np.uint64(1), 2.0 * x, 2.0 * y, 2.0 * z)
    v = y + 0.25 * space_noise(key + np.uint64(2), 2.0 * x, 2.0 * y, 2.0 * z)
    nearest, second, place, _ = find_cell(key, u, v, z)
    width = 0.04 * (0.8 + 1.6 * space_noise(key + np.uint64(3), 0.8 * x, 0.8 * y, 0.8 * z))
    if width <= 0.0:
        return 0.0, _vary_grey(key, place, 0.06)
    depth = 0.35 * strength * min(width / 0.02, 1.0) * min(max(2.0 - (second - nearest) / width, 0.0), 1.0)
    return -depth, _escape(depth, 0.08) * _vary_grey(key, place, 0.06)


@kernel
def _evaluate_wrinkles(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Folds where a smooth field f passes through 0, 0.3 s (1 - |f| / 0.35)^2 deep, and finer ones half as deep."""
    x += space_noise(key + np.uint64(1), 0.7 * x, 0.7 * y, 0.7 * z)
    y += space_noise(key + np.uint64(2), 0.7 * x, 0.7 * y, 0.7 * z)
    depth = 0.0
    for octave in range(2):
        f = min(abs(space_noise(key + np.uint64(3 + octave), x, y, z)) / 0.35, 1.0)
        depth += 0.3 * strength * (1.0 - f) * (1.0 - f) / (1.0 + octave)
        x, y, z = 1.9 * x, 1.9 * y, 1.9 * z
    return -depth, _escape(depth, 0.3)


@kernel
def _evaluate_steps(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Growth steps: terraces that sink slowly by 0.25 s and rise on a short riser; greys differ by 8 %."""
    place = _STEP_DIRECTION[0] * x + _STEP_DIRECTION[1] * y + _STEP_DIRECTION[2] * z
    place += 0.8 * space_noise(key, 0.6 * x, 0.6 * y, 0.6 * z)
    terrace = math.floor(place)
    t = place - terrace
    height = -0.25 * strength * (t / 0.85 if t < 0.85 else (1.0 - t) / 0.15)
    return height, _vary_grey(key, index_lattice_point(int(terrace), 0, 0), 0.08)


@kernel
def _evaluate_flakes(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Plates that overlap, each with a slope and a grey of its own, over a dark depth.

    In each lattice cell lies a ball that four planes cut; its plate is where the surface passes through it. Of the
    plates at a point the one with the largest draw lies on top.
    """
    low = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(low[0]), int(low[1]), int(low[2])
    top, found, way = -1.0, np.uint64(0), (0.0, 0.0, 0.0)
    for p in range(i - 1, i + 2):
        for q in range(j - 1, j + 2):
            for r in range(k - 1, k + 2):
                place = index_lattice_point(p, q, r) * np.uint64(16)
                order = draw_uniform(key, place)
                if order < top:
                    continue
                u = x - p - draw_uniform(key, place + np.uint64(1))
                v = y - q - draw_uniform(key, place + np.uint64(2))
                w = z - r - draw_uniform(key, place + np.uint64(3))
                if u * u + v * v + w * w < 1.0 and _is_within_cuts(key, place, u, v, w):
                    top, found, way = order, place, (u, v, w)
    if top < 0.0:
        return -0.9 * strength, _escape(0.9 * strength, 0.5)
    height = 0.3 * top - 0.6
    for axis in range(3):
        height += 0.8 * (draw_uniform(key + np.uint64(5 + axis), found) - 0.5) * way[axis]
    return strength * height, _vary_grey(key, found, 0.15)


@kernel
def _is_within_cuts(key: np.uint64, place: np.uint64, u: float, v: float, w: float) -> bool:
    """Return whether (u, v, w) from the middle of a ball lies within its four cuts, 0.3 to 0.55 from the middle."""
    for cut in range(4):
        a, b, c = _draw_direction(key, place + np.uint64(4 + 3 * cut))
        if a * u + b * v + c * w > 0.3 + 0.25 * draw_uniform(key + np.uint64(1 + cut), place):
            return False
    return True


@kernel
def _evaluate_fibres(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Three layers of round, curved threads, along lines where smooth fields pass through 0, over a dark depth."""
    top = -0.5
    for layer in range(3):
        u, v, w = (x, 0.4 * y, z) if layer == 0 else ((0.4 * x, y, z) if layer == 1 else (x, y, 0.4 * z))
        f = space_noise(key + np.uint64(layer), 1.3 * u, 1.3 * v, 1.3 * w) / 0.13
        if f * f < 1.0:
            top = max(top, 0.14 * math.sqrt(1.0 - f * f) - 0.14 - 0.12 * layer)
    return strength * top, _escape(-strength * top, 0.5)


@kernel
def _evaluate_scratches(key: np.uint64, x: float, y: float, z: float, strength: float) -> tuple[float, float]:
    """Straight grooves in four directions, of some lengths and widths, brighter or darker."""
    height, grey = 0.0, 1.0
    for family in range(4):
        own = key + np.uint64(20 * family)
        a, b = _draw_direction(own, np.uint64(0)), _draw_direction(own, np.uint64(3))
        across = a[0] * x + a[1] * y + a[2] * z
        line = math.floor(across)
        along = (b[0] * x + b[1] * y + b[2] * z) / 3.0 + draw_uniform(own, index_lattice_point(int(line), 7, 0))
        piece = math.floor(along)
        place = index_lattice_point(int(line), int(piece), 1) * np.uint64(5)
        length, half_width = 0.2 + 0.8 * draw_uniform(own, place), 0.02 + 0.04 * draw_uniform(own, place + np.uint64(1))
        t = 1.0 - abs(across - line - 0.2 - 0.6 * draw_uniform(own, place + np.uint64(2))) / half_width
        if t > 0.0 and along - piece < length and draw_uniform(own, place + np.uint64(3)) < 0.6:
            height -= strength * half_width * t
            grey *= 1.0 + (1.6 * draw_uniform(own, place + np.uint64(4)) - 0.8) * min(2.0 * t, 1.0)
    return height, grey


@kernel
def _draw_direction(key: np.uint64, first: np.uint64) -> tuple[float, float, float]:
    """Return a unit vector: the direction of a point of the cube of edge 2; draws `first` … `first` + 2."""
    x = 2.0 * draw_uniform(key, first) - 1.0
    y = 2.0 * draw_uniform(key, first + np.uint64(1)) - 1.0
    z = 2.0 * draw_uniform(key, first + np.uint64(2)) - 1.0
    length = math.sqrt(x * x + y * y + z * z) + 1e-9
    return x / length, y / length, z / length


@kernel
def _evaluate_bands(key: np.uint64, x: float, strength: float) -> float:
    """Bands across x with sharp edges, each of a width between 0.2 and 1.8 and a grey of its own."""
    band = math.floor(x)
    start = 0.8 * (draw_uniform(key, index_lattice_point(band, 1, 0)) - 0.5)
    end = 0.8 * (draw_uniform(key, index_lattice_point(band + 1, 1, 0)) - 0.5) + 1.0
    if x - band < start:
        band -= 1
    elif x - band >= end:
        band += 1
    return _vary_grey(key, index_lattice_point(band, 0, 0), 0.5 * strength)


@kernel
def _evaluate_stains(key: np.uint64, x: float, y: float, z: float, strength: float) -> float:
    """Blots of an irregular outline: darker by 0.3 s, on the outline by up to 0.6 s."""
    f, scale = -0.2, 1.0
    for octave in range(4):
        f += space_noise(key + np.uint64(octave), x * scale, y * scale, z * scale) / scale
        scale *= 2.0
    inside = min(max(f / 0.06, 0.0), 1.0)
    edge = max(1.0 - abs(f - 0.04) / 0.05, 0.0)
    return max(1.0 - 0.3 * strength * (inside + edge), 0.1)
