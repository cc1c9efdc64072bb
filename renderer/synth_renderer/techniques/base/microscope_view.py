"""The view of both electron microscopes: straight down on a substrate that is wider than the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.model.staged_scene import Box
from synth_renderer.techniques.base.feature_values import read_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.prototypes.feature import FeatureValue

COLUMN_HEIGHT: Final = 51.2
"""Height of the measurement volume and lowest height of the camera, scene units."""

PIXELS_PER_UNIT: Final = 10.0
"""Pixels per scene unit at a resolution percentage of 100."""

VOLUME_OVER_VIEW: Final = 1.25
"""Extent of the measurement volume over that of the view, in x and y."""


def compute_view(features: Mapping[str, FeatureValue]) -> tuple[float, float]:
    """Return width and height of the view, scene units."""
    x, y = (read_number(features, f"resolution_{axis}") / PIXELS_PER_UNIT for axis in "xy")
    return x, y


def compute_volume(features: Mapping[str, FeatureValue]) -> Box:
    """Return the measurement volume: centred on the camera's axis, from the substrate at z = 0 upwards."""
    x, y = (extent * VOLUME_OVER_VIEW / 2 for extent in compute_view(features))
    return Box((-x, -y, 0.0), (x, y, COLUMN_HEIGHT))
