"""The signal from the specimen to the digitiser: one function applies every effect in the order of the column."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging import display
from synth_renderer.techniques.imaging.counting import count_electrons
from synth_renderer.techniques.imaging.scene_values import get_pixel_size, make_key
from synth_renderer.techniques.tem_signal import focus
from synth_renderer.techniques.tem_signal.beam import shade_beam
from synth_renderer.techniques.tem_signal.electron_camera import record_electrons
from synth_renderer.techniques.tem_signal.lens import Lens, compute_wavelength, form_image
from synth_renderer.techniques.tem_signal.speckle import draw_phase_speckle
from synth_renderer.techniques.tem_signal.substance import build_substance
from synth_renderer.techniques.tem_signal.support_film import build_support_film
from synth_renderer.techniques.tem_signal.transmission import project_bodies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene

    Plane = NDArray[np.float32]

UNKNOWN_PIXEL: Final = 1.0
"""Size of a pixel in a picture without a scale, nm."""


class _Wave(NamedTuple):
    """The wave behind the specimen; planes are (H, W) float32."""

    intensity: Plane
    """Part of the beam."""
    phase: Plane
    """Rad."""
    coverage: Plane
    """Share of each pixel that shows particles, 0 … 1."""
    height: Plane
    """Mean height of the particles' middles, scene units; 0 where there is none."""


def record_signal(scene: StagedScene, in_camera: NDArray[np.bool_]) -> Plane:
    """Return the picture (H, W) float32, 0 … 1, of the bodies `in_camera` (N,) bool.

    Every effect maps the intensity of the effect before it to a new one and returns it unchanged at strength 0.
    """
    features = scene.technique.features
    value, key = partial(read_number, features), partial(make_key, scene)
    intensity, phase, coverage, height = _pass_specimen(scene, in_camera)
    intensity = add_scattered_electrons(intensity, value("scattered_share"))
    if features["dark_field"]:
        intensity, phase = np.float32(1) - intensity, np.zeros_like(phase)

    intensity = shade_beam(intensity, value("beam_falloff"), value("beam_radius"), value("beam_offset"),
                           value("beam_azimuth"))  # fmt: skip
    intensity = form_image(intensity, phase, _build_lens(scene), _get_pixel_nanometres(scene))
    intensity = focus.focus_picture(intensity, height, coverage, value("defocus"), value("lens_radius"),
                                    1 / get_pixel_size(scene), value("beam_blur"))  # fmt: skip
    intensity = focus.smear_picture(intensity, value("drift"), value("drift_azimuth"))

    electrons = count_electrons(value("electrons"), value("noise_threshold"))
    grey = record_electrons(intensity * np.float32(value("gain")), key, str(features["camera"]), electrons,
                            value("read_noise"), value("gain_variation"))  # fmt: skip
    grey = display.set_levels(grey, value("auto_black"), value("auto_white"))
    grey = display.bend_response(display.limit_range(grey), value("gamma"), value("saturation"))
    return display.invert_contrast(grey) if features["inverted_contrast"] else grey


def add_scattered_electrons(intensity: Plane, share: float) -> Plane:
    """Return I + q (1 - I), (H, W): the share q, 0 … 1, of the scattered electrons passes the objective aperture."""
    return intensity if share == 0 else intensity + np.float32(share) * (np.float32(1) - intensity)


def _pass_specimen(scene: StagedScene, in_camera: NDArray[np.bool_]) -> _Wave:
    """Return the wave behind particles and film; the samples take most of the memory and end here."""
    technique, value = scene.technique, partial(read_number, scene.technique.features)
    particles = project_bodies(scene.bodies, in_camera, build_substance(scene), technique.camera)
    intensity, phase, absorption = particles.intensity, particles.phase, particles.absorption
    if technique.background_material == "tem_film":
        shape = technique.camera.height, technique.camera.width
        film = build_support_film(technique.features, *shape, partial(make_key, scene))
        absorption = absorption + np.float32(value("film_absorption")) * film
        intensity = _absorb_electrons(intensity, film, value("film_absorption"))
        phase = phase + np.float32(value("film_phase")) * film
    speckle = draw_phase_speckle(absorption, make_key(scene, "phase_speckle"), value("phase_speckle"))
    return _Wave(intensity, phase + speckle, particles.coverage, particles.height)


@kernel
def _absorb_electrons(
    intensity: NDArray[np.float32], thickness: NDArray[np.float32], absorption: float
) -> NDArray[np.float32]:
    """Return intensity times exp(-absorption thickness), (H, W); the exponential is rounded to float32."""
    result = np.empty_like(intensity)
    for row in range(intensity.shape[0]):
        for column in range(intensity.shape[1]):
            share = np.float32(math.exp(-absorption * float(thickness[row, column])))
            result[row, column] = intensity[row, column] * share
    return result


def _build_lens(scene: StagedScene) -> Lens:
    value = partial(read_number, scene.technique.features)
    return Lens(
        wavelength=compute_wavelength(value("accelerating_voltage")),
        underfocus=value("underfocus"),
        spherical_aberration=value("spherical_aberration"),
        convergence=value("beam_convergence"),
    )


def _get_pixel_nanometres(scene: StagedScene) -> float:
    """Return the size of a pixel, nm."""
    return read_number(scene.technique.features, "nanometres_per_unit") * get_pixel_size(scene) or UNKNOWN_PIXEL
