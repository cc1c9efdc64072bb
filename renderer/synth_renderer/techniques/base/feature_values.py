"""Reading a technique's feature values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.prototypes.feature import FeatureValue


def read_number(features: Mapping[str, FeatureValue], name: str) -> float:
    """Return a numeric feature; the recipe model has checked its type."""
    value = features[name]
    assert isinstance(value, int | float)
    return float(value)


def read_resolution(features: Mapping[str, FeatureValue]) -> tuple[int, int]:
    """Return width and height in pixels at the resolution percentage, rounded down, at least 1."""
    share = int(read_number(features, "resolution_percentage"))
    width, height = (max(1, int(read_number(features, f"resolution_{axis}")) * share // 100) for axis in "xy")
    return width, height


def read_samples(features: Mapping[str, FeatureValue], own: int) -> int:
    """Return Cycles samples per pixel: the feature, or the technique's default `own` if it is 0."""
    return int(read_number(features, "cycles_samples")) or own
