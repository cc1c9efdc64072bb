"""The signal from the surface to the digitiser: one function applies every effect in the order of the instrument."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.randomness.hashing import draw_normals
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging import counting, display, scan
from synth_renderer.techniques.imaging.scene_values import make_key, make_particle_keys
from synth_renderer.techniques.sem_signal import charging, escape, shadowing, specimen
from synth_renderer.techniques.sem_signal.cores import add_cores
from synth_renderer.techniques.sem_signal.emission import Emission, gather_pixels
from synth_renderer.techniques.sem_signal.samples import SAMPLES_PER_SIDE, sample_surface
from synth_renderer.techniques.sem_signal.skin import roughen_normals
from synth_renderer.techniques.sem_signal.skin_pattern import cover_with_patterns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.model.staged_scene import StagedScene

    Plane = NDArray[np.float32]
    Selection = NDArray[np.bool_]


class _Surface(NamedTuple):
    """The signal as it leaves the specimen; planes are (H, W) float32."""

    grey: Plane
    """Part of full white, not limited to 1."""
    coverage: Plane
    """Share of each pixel that shows particles, 0 … 1."""
    height: Plane
    """Height of the visible surface above the ground's plane, pixels."""
    surroundings: Plane
    """The same with the bodies that are present without being seen."""
    normal: NDArray[np.float32]
    """Unit normals of the bodies without their skin, z up on the ground, (H, W, 3)."""
    particle_size: float
    """Typical size of a particle in the picture, pixels."""


def record_signal(scene: StagedScene, present: Selection, in_camera: Selection) -> Plane:
    """Return the picture (H, W) float32, 0 … 1, of the bodies `in_camera` (N,) bool.

    Bodies that are only `present` (N,) bool shadow the others without being seen. Every effect maps the signal of the
    effect before it to a new one and returns it unchanged at strength 0.
    """
    value, key = partial(read_number, scene.technique.features), partial(make_key, scene)
    grey, coverage, height, surroundings, normal, size = _emit_signal(scene, present, in_camera)

    neighbours, relief = (_to_pixels(widths, size) for widths in (shadowing.NEIGHBOUR_WIDTHS, shadowing.RELIEF_WIDTHS))
    grey = shadowing.darken_with_depth(grey, height, value("height_contrast"))
    grey = shadowing.shade_signal(grey, height, surroundings, neighbours, value("shadowing"))
    grey = shadowing.shade_signal(grey, height, surroundings, relief, value("crevice_shadowing"))
    grey = shadowing.brighten_ridges(grey, height, relief, value("ridge_brightening"))
    straight = escape.mix_strength(coverage, value("shadow_on_particles"), value("shadow_on_ground"))
    if straight.any():
        free = escape.compute_escape(height, surroundings, normal, straight > 0, value("shadow_reach") * size)
        grey = escape.shade_by_escape(grey, free, straight)

    lines = draw_normals(key("streaks"), len(grey))
    grey = charging.add_halo(grey, coverage, value("halo"), value("halo_width") * size)
    grey = charging.add_streaks(grey, coverage, lines, value("streaks"), charging.STREAK_LENGTH * size)

    distance = scan.measure_focal_distance(height, value("focus_height"))
    grey = scan.focus_beam(grey, distance, value("beam_blur"), value("defocus"))
    grey = scan.drift_lines(grey, key("drift"), value("drift"))

    grey = _amplify(grey, coverage, value("gain"), value("clipping"))
    grey = counting.add_shot_noise(grey, key("electrons"), value("electrons"), value("noise_correlation"))
    grey = counting.add_line_noise(grey, key("line_noise"), value("line_noise"))
    grey = display.subtract_black(grey, value("black_point"))

    grey = display.set_levels(grey, value("auto_black"), value("auto_white"))
    grey = display.bend_response(display.limit_range(grey), value("gamma"), value("saturation"))
    return display.invert_contrast(grey) if scene.technique.features["inverted_contrast"] else grey


def _emit_signal(scene: StagedScene, present: Selection, in_camera: Selection) -> _Surface:
    """Emission of particles, ground and cores by their tilt; the samples take most of the memory and end here."""
    camera, emission = scene.technique.camera, _build_emission(scene.technique.features)
    levels, ground = specimen.compute_levels(scene), specimen.build_ground(scene)
    samples = sample_surface(scene.bodies, in_camera, camera)
    size = specimen.compute_typical_size(scene, samples)
    ids = samples.ids[::SAMPLES_PER_SIDE, ::SAMPLES_PER_SIDE]
    normal = samples.normal[::SAMPLES_PER_SIDE, ::SAMPLES_PER_SIDE].copy()
    normal[ids == 0, 2] = 1
    cover_with_patterns(samples, scene.bodies, specimen.build_skin_patterns(scene), camera)
    roughness_keys = make_particle_keys(scene, "roughness_slope")
    roughen_normals(samples, specimen.place_skins(scene), specimen.build_skin(scene), camera, roughness_keys)
    transparency = read_number(scene.technique.features, "transparency")
    pixels = gather_pixels(samples, levels, emission, SAMPLES_PER_SIDE, transparency)
    opacity = np.float32(1 - transparency) * pixels.coverage
    grey = pixels.signal + (np.float32(1) - opacity) * ground.compute_signal(emission)
    core_sizes, core_levels = specimen.compute_cores(scene, levels)
    grey = add_cores(grey, scene.bodies, in_camera, core_sizes, core_levels, ids, camera, size)
    height = surroundings = specimen.compute_height(scene, pixels, ground)
    if (present != in_camera).any():
        everything = gather_pixels(sample_surface(scene.bodies, present, camera), levels, emission, SAMPLES_PER_SIDE)
        surroundings = specimen.compute_height(scene, everything, ground)
    return _Surface(grey, pixels.coverage, height, surroundings, normal, size)


def _build_emission(features: Mapping[str, FeatureValue]) -> Emission:
    return Emission(
        strength=read_number(features, "edge_strength"),
        cutoff=read_number(features, "edge_cutoff"),
        exponent=read_number(features, "edge_exponent"),
        azimuth=read_number(features, "detector_azimuth"),
        asymmetry=read_number(features, "detector_asymmetry"),
    )


def _to_pixels(widths: Sequence[float], particle_size: float) -> list[float]:
    """Return widths in pixels, at least 1, from widths in typical particle sizes."""
    return [max(width * particle_size, 1.0) for width in widths]


def _amplify(signal: Plane, coverage: Plane, gain: float, clipping: float) -> Plane:
    """Multiply by the gain; a `clipping` above 0 sets the gain instead."""
    if clipping > 0:
        gain = charging.compute_clipping_gain(signal, coverage, clipping)
    return np.asarray(signal * np.float32(gain))
