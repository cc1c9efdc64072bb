"""The scanning electron microscope for agglomerates: its volume lies around the origin, a band of light around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from synth_renderer.model.staged_scene import Box
from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging.counting import count_electrons
from synth_renderer.techniques.sem_signal import band_light
from synth_renderer.techniques.sem_signal.scanning_electron_microscope import ScanningElectronMicroscope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.staged_scene import StagedScene


class SemAggregate(ScanningElectronMicroscope):
    """The same view and signal; the substrate lies half the volume's height below the origin."""

    @override
    def build_camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """The scanning microscope's, as high above this substrate."""
        camera = super().build_camera(features)
        return replace(camera, location=(0.0, 0.0, camera.location[2] - band_light.HALF_DEPTH))

    @override
    def build_volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """Centred on the origin."""
        (x, y, _), depth = super().build_volume(features).upper, band_light.HALF_DEPTH
        return Box((-x, -y, -depth), (x, y, depth))

    @override
    def record_signal(
        self, scene: StagedScene, present: NDArray[np.bool_], in_camera: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return the picture (H, W), 0 … 1, of the scanning microscope with this light."""
        return super().record_signal(_raise_to_plane(scene), present, in_camera)


def _raise_to_plane(scene: StagedScene) -> StagedScene:
    """Return the scene with its substrate at z = 0, as the signal model has it, and with that model's features."""
    raised = np.array([0.0, 0.0, band_light.HALF_DEPTH])
    technique, (x, y, z) = scene.technique, scene.technique.camera.location
    return replace(
        scene,
        bodies=replace(scene.bodies, locations=scene.bodies.locations + raised),
        technique=replace(
            technique,
            camera=replace(technique.camera, location=(x, y, z + band_light.HALF_DEPTH)),
            features=dict(technique.features) | _convert_light(technique.features),
        ),
    )


def _convert_light(features: Mapping[str, FeatureValue]) -> dict[str, FeatureValue]:
    """Return the features of the signal model that say the same as those of the light."""
    location = read_number(features, "illumination_location")
    asymmetry, azimuth = band_light.tilt_detector(
        read_number(features, "detector_asymmetry"),
        read_number(features, "detector_azimuth"),
        read_number(features, "illumination_rotation"),
        location,
    )
    strength = read_number(features, "illumination_strength") / band_light.NOMINAL_STRENGTH
    threshold = read_number(features, "noise_threshold")
    return {
        "detector_asymmetry": asymmetry,
        "detector_azimuth": azimuth,
        "shadowing": band_light.deepen_shadows(read_number(features, "shadowing"), location),
        "crevice_shadowing": band_light.deepen_shadows(read_number(features, "crevice_shadowing"), location),
        "gain": read_number(features, "gain") * strength,
        "electrons": count_electrons(read_number(features, "electrons"), threshold),
    }
