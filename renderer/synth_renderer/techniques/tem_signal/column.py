"""The signal from the specimen to the digitiser: one function applies every effect in the order of the instrument."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging import counting, display
from synth_renderer.techniques.imaging.scene_values import get_pixel_size, make_key
from synth_renderer.techniques.tem_signal import focus
from synth_renderer.techniques.tem_signal.substance import build_substance
from synth_renderer.techniques.tem_signal.transmission import project_bodies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.staged_scene import StagedScene

    Plane = NDArray[np.float32]

NOMINAL_NOISE_THRESHOLD: Final = 0.05
"""Value of `noise_threshold` at which `electrons` are those of a pixel."""


def record_signal(scene: StagedScene, in_camera: NDArray[np.bool_]) -> Plane:
    """Return the picture (H, W) float32, 0 … 1, of the bodies `in_camera` (N,) bool.

    Every effect maps the intensity of the effect before it to a new one and returns it unchanged at strength 0.
    """
    value, key = partial(read_number, scene.technique.features), partial(make_key, scene)
    specimen = project_bodies(scene.bodies, in_camera, build_substance(scene), scene.technique.camera)
    intensity = add_scattered_electrons(specimen.intensity, value("scattered_share"))
    if scene.technique.features["dark_field"]:
        intensity = np.float32(1) - intensity

    pixels_per_unit = 1 / get_pixel_size(scene)
    intensity = focus.focus_picture(intensity, specimen.height, specimen.coverage, value("defocus"),
                                    value("lens_radius"), pixels_per_unit, value("beam_blur"))  # fmt: skip
    intensity = focus.smear_picture(intensity, value("drift"), value("drift_azimuth"))

    grey = intensity * np.float32(value("gain"))
    electrons = count_electrons(value("electrons"), value("noise_threshold"))
    grey = counting.add_shot_noise(grey, key("electrons"), electrons, value("noise_correlation"))
    grey = display.set_levels(grey, value("auto_black"), value("auto_white"))
    grey = display.bend_response(display.limit_range(grey), value("gamma"), value("saturation"))
    return display.invert_contrast(grey) if scene.technique.features["inverted_contrast"] else grey


def add_scattered_electrons(intensity: Plane, share: float) -> Plane:
    """Return I + q (1 - I), (H, W): the share q, 0 … 1, of the scattered electrons passes the objective aperture."""
    return intensity if share == 0 else intensity + np.float32(share) * (np.float32(1) - intensity)


def count_electrons(electrons: float, noise_threshold: float) -> float:
    """Return the electrons per pixel at full white, 0 for no noise: noise is in proportion to `noise_threshold`."""
    if noise_threshold == 0:
        return 0.0
    ratio = NOMINAL_NOISE_THRESHOLD / noise_threshold
    return electrons * ratio * ratio
