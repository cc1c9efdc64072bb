"""Comparison of a picture with a reference of the same scene, whose noise may differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_MEAN_DIFFERENCE: Final = 0.01
"""Of the means, relative to the reference."""
MAX_DEVIATION_DIFFERENCE: Final = 0.02
"""Of the standard deviations, relative to the reference."""
MAX_CORRELATION: Final = 0.1
"""Of the difference of the pictures with itself, shifted: noise has none, a moved edge or another shading has."""
LAGS: Final = (4, 8, 16, 32)
"""Shifts in px, along rows and columns; smaller ones would find the blur of a technique."""


@dataclass(frozen=True)
class Comparison:
    """How far a picture is from its reference."""

    mean: float
    """Relative difference of the means."""
    deviation: float
    """Relative difference of the standard deviations."""
    correlation: float
    """Largest autocorrelation of the difference over all lags, between -1 and 1."""
    differing: float
    """Share of pixels that differ."""

    @property
    def problems(self) -> list[str]:
        """What is beyond its limit, in words."""
        limits = {
            "mean": (self.mean, MAX_MEAN_DIFFERENCE),
            "standard deviation": (self.deviation, MAX_DEVIATION_DIFFERENCE),
            "structure": (self.correlation, MAX_CORRELATION),
        }
        return [f"{name} {value:+.3f} (limit {limit})" for name, (value, limit) in limits.items() if abs(value) > limit]


def compare_pictures(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> Comparison:
    """Compare two pictures (H, W) or (H, W, C) of one shape."""
    one, other = (image.reshape(*image.shape[:2], -1).mean(axis=2) for image in (picture, reference))
    return Comparison(
        mean=float(one.mean() / other.mean() - 1),
        deviation=float(one.std() / other.std() - 1),
        correlation=_find_correlation(one - other),
        differing=float(np.mean(one != other)),
    )


def _find_correlation(difference: NDArray[np.float64]) -> float:
    """Return the autocorrelation that is farthest from 0; 0 for pictures that do not differ."""
    centred = difference - difference.mean()
    variance = float(np.mean(centred**2))
    if variance == 0:
        return 0.0
    lags = [lag for lag in LAGS if lag < min(difference.shape)]
    products = [centred[lag:] * centred[:-lag] for lag in lags] + [centred[:, lag:] * centred[:, :-lag] for lag in lags]
    return max((float(np.mean(each)) / variance for each in products), key=abs)
