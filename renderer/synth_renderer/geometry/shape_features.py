"""Features of a shape, whose types and bounds the recipe model has checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.prototypes.feature import FeatureValue

    Features = Mapping[str, FeatureValue]
    """Feature name -> value of one body."""


def read_number(features: Features, name: str) -> float:
    """Return a numeric feature, 0 where the shape does not have it."""
    return float(features.get(name, 0.0))  # type: ignore[arg-type]
