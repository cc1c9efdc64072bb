"""Scanning electron microscope with a secondary electron detector at the side, seen from above, traced by Cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.model.camera import Camera
from synth_renderer.model.staged_scene import Box
from synth_renderer.techniques.base import Picture
from synth_renderer.techniques.feature_values import number, resolution, samples
from synth_renderer.techniques.sem_traced.detector import Acceptance, Electronics, TiltYield, beam_electrons, detect
from synth_renderer.techniques.sem_traced.smoothing import smooth

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes import FeatureValue
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.staged_scene import StagedScene, StagedTechnique

COLUMN_HEIGHT: Final = 51.2
"""Camera height and height of the measurement volume, scene units."""

PIXELS_PER_UNIT: Final = 10.0
"""At 100 %."""

VOLUME_OVER_VIEW: Final = 1.25
"""Extent of the measurement volume over that of the view, in x and y."""

SAMPLES: Final = 8
"""Paths per pixel; what noise they leave is blue and smoothed away."""

SMOOTHING: Final = 1.8
"""Standard deviation of that smoothing, pixels at 100 %."""

COLLECTION: Final = 0.92
"""Electrons collected per beam electron from a lone convex body that faces the beam, on average."""


class SecondaryElectronMicroscope:
    """Orthographic view of 10 pixels per scene unit into a closed box that is 1.25 times as wide."""

    def camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """Straight down from the middle of the volume's lid; the percentage changes the sampling, not the view."""
        width, height = resolution(features)
        return Camera(width, height, (0.0, 0.0, COLUMN_HEIGHT), ortho_scale=max(_view(features)))

    def volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """Centred on the axis, from the substrate to the camera."""
        x, y = (extent * VOLUME_OVER_VIEW / 2 for extent in _view(features))
        return Box((-x, -y, 0.0), (x, y, COLUMN_HEIGHT))

    def has_walls(self) -> bool:
        """The volume is the container that the particles settle in."""
        return True

    def covered(self, technique: StagedTechnique, seed: int) -> None:
        """Nothing is written over the picture."""

    def picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,
        device: str,
    ) -> Picture:
        """Grey (H, W): traced collection of secondary electrons, then the detector's counting."""
        from synth_renderer.blender.cycles import trace
        from synth_renderer.blender.objects import visible

        features = scene.technique.features
        with visible(scene, present, in_camera):
            traced = trace(samples(features, SAMPLES), bounces=0, seed=scene.seed, device=device)
        sigma = SMOOTHING * number(features, "resolution_percentage") / 100
        collected = smooth(traced.radiance[:, :, 0], surface.ids, sigma)
        return Picture(detect(collected, electronics(features), scene.seed), traced.device)


def tilt_yield(features: Mapping[str, FeatureValue]) -> TiltYield:
    """The edge effect that the features describe."""
    return TiltYield(
        factor=number(features, "edge_factor"),
        cutoff=number(features, "edge_cutoff"),
        exponent=number(features, "edge_exponent"),
    )


def acceptance(features: Mapping[str, FeatureValue]) -> Acceptance:
    """The detector that the features describe."""
    return Acceptance(
        azimuth=number(features, "detector_azimuth"),
        elevation=number(features, "collection_angle"),
        asymmetry=number(features, "detector_asymmetry"),
    )


def electronics(features: Mapping[str, FeatureValue]) -> Electronics:
    """Beam and amplifier that the features describe."""
    return Electronics(
        illumination=number(features, "illumination_strength"),
        electrons=beam_electrons(
            number(features, "beam_current"), number(features, "dwell_time"), number(features, "noise_threshold")
        ),
        read_noise=number(features, "read_noise"),
        line_noise=number(features, "line_noise"),
        noise_correlation=number(features, "noise_correlation"),
    )


def _view(features: Mapping[str, FeatureValue]) -> tuple[float, float]:
    x, y = (number(features, f"resolution_{axis}") / PIXELS_PER_UNIT for axis in "xy")
    return x, y
