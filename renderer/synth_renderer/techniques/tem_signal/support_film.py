"""The film that carries the particles: its thickness from hole to fold. No label shows it.

Places and lengths are in parts of the frame's longer side, so another resolution shows the same film.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import PLANE_NOISE_RMS, draw_uniform, plane_noise
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.tem_signal.film_holes import measure_depth_in_holes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.techniques.imaging.scene_values import KeyOf

    Plane = NDArray[np.float32]

TEXTURE_OCTAVES: Final = 6
"""Octaves of the fractal texture; those finer than a pixel are left out."""
TEXTURE_GAIN: Final = 0.6
"""Strength of an octave over that of the next wider one."""
RIM_WIDTH: Final = 0.15
"""Width of the thicker rim of a hole over the distance of holes."""
ROUND_EDGE: Final = 0.03
"""Width over which the film of a lacey network becomes thick, over the distance of holes: its strands are round."""
TEAR_WAVES: Final = 0.06
"""Longest displacement of a torn edge from a straight one, frames, rms."""
TEAR_RIM: Final = 0.012
"""Width of the rolled rim of a torn edge, frames."""
FOLD_LAYERS: Final = 2.0
"""Layers of film that a fold adds."""
FOLD_WAVES: Final = 0.02
"""Displacement of a fold from a straight line, frames, rms."""
DIRT_OCTAVES: Final = 5
"""Octaves of the outline of dirt."""
DIRT_GAIN: Final = 0.5
"""Strength of an octave of that outline over that of the next wider one."""


def build_support_film(features: Mapping[str, FeatureValue], height: int, width: int, key_of: KeyOf) -> Plane:
    """Return the thickness of the film of the material `tem_film`, (H, W), in parts of the nominal one.

    Level and texture, then folds and dirt, above 1, holes and a torn edge, 0. Each is off at 0. height and width of the
    picture in pixels. Film and holes as in D. Williams and C. Carter, Transmission Electron Microscopy, 2nd ed., 2009,
    chapter 10; outlines and profiles look like them, no measurement stands behind them.
    """

    def value(name: str) -> float:
        return read_number(features, name)

    frame = max(height, width)
    thickness = tilt_film(height, width, value("film_gradient"), value("film_azimuth"))
    thickness = roughen_film(
        thickness, key_of("film_texture"), value("film_texture"), value("film_texture_scale") * frame
    )
    thickness = fold_film(thickness, key_of("film_folds"), value("film_folds"), value("film_fold_width") * frame)
    thickness = soil_film(
        thickness, key_of("film_dirt"), value("film_dirt"), value("film_dirt_size") * frame, value("film_dirt_strength")
    )
    if features["film_form"] != "continuous":
        thickness = pierce_film(
            thickness,
            key_of("film_form"),
            value("film_hole_share"),
            value("film_hole_size") * frame,
            value("film_rim"),
            is_lacey=features["film_form"] == "lacey",
        )
    thickness = tear_film(thickness, key_of("film_edge"), value("film_edge"), value("film_azimuth"), value("film_rim"))
    return thickness


def tilt_film(height: int, width: int, gradient: float, azimuth: float) -> Plane:
    """Return a thickness (H, W) of 1 in the middle that rises by `gradient` across the frame, at least 0.

    `azimuth` is the direction of the rise, degrees from +x (right) towards +y (up).
    """
    frame, (right, up) = max(height, width), _compute_direction(azimuth)
    columns = (np.arange(width) + 0.5 - 0.5 * width) / frame * right
    rows = (0.5 * height - 0.5 - np.arange(height)) / frame * up
    return np.maximum(1.0 + gradient * (rows[:, None] + columns[None, :]), 0.0).astype(np.float32)


def roughen_film(thickness: Plane, key: np.uint64, rms: float, scale: float) -> Plane:
    """Return thickness max(1 + rms n, 0), n a fractal field of rms 1 with longest waves of `scale` px, (H, W)."""
    if rms == 0:
        return thickness
    height, width = thickness.shape
    texture = build_turned_fractal(key, height, width, 0.5 * scale, TEXTURE_OCTAVES, TEXTURE_GAIN)
    return np.asarray(thickness * np.maximum(np.float32(1) + np.float32(rms) * texture, np.float32(0)))


def fold_film(thickness: Plane, key: np.uint64, count: float, width: float) -> Plane:
    """Return the thickness (H, W) with `count` folds, rounded up, of three layers, each about `width` px wide.

    Draws of a fold: direction, x and y of a point on it, width (0.4 … 1.6 of `width`), length over the frame (0.3 …
    2.3); its width falls to 0 at both ends.
    """
    layers = np.ones_like(thickness)
    for number in range(math.ceil(count)):
        draws = [draw_uniform(key, np.uint64(16 * number + n)) for n in range(5)]
        _add_fold(layers, key + np.uint64(number + 1), _compute_direction(360.0 * draws[0]), draws[1], draws[2],
                  (0.4 + 1.2 * draws[3]) * width, 0.3 + 2.0 * draws[4])  # fmt: skip
    return thickness * layers


@kernel
def _add_fold(
    layers: NDArray[np.float32],
    key: np.uint64,
    along: tuple[float, float],
    x: float,
    y: float,
    width: float,
    length: float,
) -> None:
    """Add one fold to `layers` (H, W), in place, through (x, y), parts of the picture, along a vector (right, up).

    Its width is a parabola of the place along it, the profile a box with edges of 1 px.
    """
    rows, columns = layers.shape
    frame = max(rows, columns)
    reach = 4.0 * FOLD_WAVES * frame + width
    for row in range(rows):
        for column in range(columns):
            dx, dy = column + 0.5 - x * columns, y * rows - row - 0.5
            across = dy * along[0] - dx * along[1]
            if abs(across) > reach:
                continue
            place = (dx * along[0] + dy * along[1]) / frame
            narrowing = 1.0 - 4.0 * place * place / (length * length)
            if narrowing <= 0.0:
                continue
            wave = plane_noise(key, 3.0 * place, 0.5) + 0.25 * plane_noise(key, 13.0 * place, 7.5)
            middle = FOLD_WAVES * frame * wave / PLANE_NOISE_RMS
            spread = 0.5 * width * narrowing * (1.0 + 0.6 * plane_noise(key, 7.0 * place, 20.5))
            share = min(max(spread - abs(across - middle) + 0.5, 0.0), 1.0) * min(2.0 * spread, 1.0)
            layers[row, column] += FOLD_LAYERS * share


def soil_film(thickness: Plane, key: np.uint64, share: float, size: float, strength: float) -> Plane:
    """Return the thickness (H, W) with dirt on the `share` 0 … 1 of the picture, in heaps of about `size` px.

    The heaps lie where a fractal field is highest; the thickness of dirt rises as the root of the field above that
    level to about `strength`, in nominal films.
    """
    if share == 0:
        return thickness
    height, width = thickness.shape
    field = build_turned_fractal(key, height, width, size, DIRT_OCTAVES, DIRT_GAIN)
    above = np.maximum(field - np.float32(find_level(field, share)), np.float32(0))
    return np.asarray(thickness + np.float32(strength) * np.sqrt(above))


def pierce_film(
    thickness: Plane, key: np.uint64, share: float, distance: float, rim: float, *, is_lacey: bool
) -> Plane:
    """Return the thickness (H, W) with holes, `distance` px from centre to centre, over the `share` 0 … 1 of it.

    Round holes, or a lacey network: holes that leave strands between them, round in section. Towards a hole the film
    becomes thicker, by the factor 1 + rim (1 - d / w)^2 with the distance d from the edge and w = 0.15 of the distance
    of holes.
    """
    if share == 0:
        return thickness
    height, width = thickness.shape
    depth = measure_depth_in_holes(key, height, width, distance, is_lacey)
    inside = np.float32(find_level(depth, share)) - depth
    profile = _round_edge(inside, ROUND_EDGE * distance) if is_lacey else np.clip(inside + np.float32(0.5), 0, 1)
    return np.asarray(thickness * profile * _thicken_rim(inside, rim, RIM_WIDTH * distance))


def tear_film(thickness: Plane, key: np.uint64, share: float, azimuth: float, rim: float) -> Plane:
    """Return the thickness (H, W) with a torn edge beyond which the `share` 0 … 1 of the picture has no film.

    The film ends towards `azimuth`, degrees from +x (right) towards +y (up), at a wavy line; its rim is rolled up and
    thicker by the factor 1 + rim (1 - d / w)^2, d the distance from the edge and w = 0.012 frames.
    """
    if share == 0:
        return thickness
    height, width = thickness.shape
    frame, (right, up) = max(height, width), _compute_direction(azimuth)
    place = (np.arange(width) * right)[None, :] - (np.arange(height) * up)[:, None]
    waves = build_turned_fractal(key, height, width, 0.3 * frame, TEXTURE_OCTAVES, 0.5)
    place = (place + TEAR_WAVES * frame * waves.astype(np.float64)).astype(np.float32)
    inside = np.float32(find_level(place, share)) - place
    covered = np.clip(inside + np.float32(0.5), 0, 1)
    return np.asarray(thickness * covered * _thicken_rim(inside, rim, TEAR_RIM * frame))


def find_level(field: Plane, share: float) -> float:
    """Return the level that the `share` 0 … 1 of the values of a field (H, W) exceeds."""
    index = min(int((1.0 - share) * field.size), field.size - 1)
    return float(np.partition(field, index, axis=None)[index])


@kernel
def build_turned_fractal(
    key: np.uint64, height: int, width: int, step: float, octaves: int, gain: float
) -> NDArray[np.float32]:
    """Return a fractal field (height, width) of rms 1 whose octaves have lattices of different directions.

    Each octave is half as wide and `gain` times as strong as the one before it, and turned by the angle whose cosine is
    3/5 and sine 4/5, so that blots have no square corners. `step` is the first octave's lattice step in pixels; an
    octave of less than a pixel is left out.
    """
    field = np.zeros((height, width), dtype=np.float64)
    amplitude, power, right, up = 1.0, 0.0, 0.8, 0.6
    for octave in range(octaves):
        if step < 1.0:
            break
        octave_key = key + np.uint64(octave + 1)
        for row in range(height):
            for column in range(width):
                x, y = (column + 0.5) / step, (row + 0.5) / step
                field[row, column] += amplitude * plane_noise(octave_key, x * right + y * up, y * right - x * up)
        power += amplitude * amplitude
        amplitude *= gain
        step *= 0.5
        right, up = 0.6 * right - 0.8 * up, 0.6 * up + 0.8 * right
    if power > 0.0:
        field /= PLANE_NOISE_RMS * math.sqrt(power)
    return field.astype(np.float32)


def _thicken_rim(inside: Plane, rim: float, width: float) -> Plane:
    """Return 1 + rim (1 - d / w)^2 at the distance d = `inside`, px, from the edge, 1 from w = `width` on."""
    rest = np.clip(np.float32(1) - inside * np.float32(1 / max(width, 1.0)), 0, 1)
    return np.asarray(np.float32(1) + np.float32(rim) * rest * rest)


def _round_edge(inside: Plane, width: float) -> Plane:
    """Return the chord of a round edge, sqrt(2 t - t^2) with t = d / w from 0 to 1; 1 from w = `width` px on."""
    t = np.clip((inside + np.float32(0.5)) * np.float32(1 / max(width, 1.0)), 0, 1)
    return np.asarray(np.sqrt(t * (np.float32(2) - t)))


def _compute_direction(azimuth: float) -> tuple[float, float]:
    """Return the unit vector (right, up) of an azimuth in degrees, rounded to float32."""
    angle = math.radians(azimuth)
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
