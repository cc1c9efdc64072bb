"""Distribution of any number of positive values in fixed memory: exact moments, and counts in bins of one ratio.

Quantiles of such bins have a bounded relative error (Masson, Rim, Lee: DDSketch, Proc. VLDB 12, 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BINS_PER_OCTAVE: Final = 128
"""A bin is 0.54 % wide."""
_OCTAVES: Final = 40
"""Values from 2^-40 to 2^40 have bins of their own; others are in the first and the last one."""
_BINS: Final = 2 * _OCTAVES * BINS_PER_OCTAVE


@dataclass
class Moments:
    """Count, mean and deviation of values that come in parts (Chan, Golub, LeVeque 1979)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared distances from the mean."""

    def add(self, values: NDArray[np.float64]) -> None:
        """Add values (N,), which may be none."""
        if not len(values):
            return
        total = self.count + len(values)
        mean = float(values.mean())
        step = mean - self.mean
        self.squares += float(np.square(values - mean).sum()) + step * step * self.count * len(values) / total
        self.mean += step * len(values) / total
        self.count = total

    @property
    def deviation(self) -> float:
        """Standard deviation of the values themselves, with N in the denominator."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0


@dataclass
class ValueSketch:
    """Positive values, each with a weight; 160 kB."""

    moments: Moments = field(default_factory=Moments)
    logs: Moments = field(default_factory=Moments)
    """Of the natural logarithms."""
    counts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Add values (N,) > 0 with weights (N,)."""
        if not len(values):
            return
        self.moments.add(values)
        self.logs.add(np.log(values))
        bins = np.floor(np.log2(values) * BINS_PER_OCTAVE).astype(np.int64) + _OCTAVES * BINS_PER_OCTAVE
        bins = bins.clip(0, _BINS - 1)
        self.counts += np.bincount(bins, minlength=_BINS)
        self.weights += np.bincount(bins, weights, minlength=_BINS)
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))

    def compute_quantile(self, share: float, *, weighted: bool = False) -> float:
        """Return the value below which a share of the count or weight lies, within 0.3 %; NaN without values."""
        sums = np.cumsum(self.weights if weighted else self.counts)
        if not sums[-1]:
            return math.nan
        place = int(np.searchsorted(sums, share * sums[-1]))
        value: float = 2.0 ** ((place + 0.5) / BINS_PER_OCTAVE - _OCTAVES)
        return min(max(value, self.low), self.high)

    def count_between(self, edges: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of values between edges (N + 1,), as (N,): a bin counts where its centre is."""
        centres = 2.0 ** ((np.arange(_BINS) + 0.5) / BINS_PER_OCTAVE - _OCTAVES)
        counts = np.histogram(centres.clip(self.low, self.high), edges, weights=self.counts)[0]
        return counts.astype(np.int64)

    def compute_distance(self, distribution: Callable[[float], float]) -> float:
        """Return the Kolmogorov–Smirnov distance of the values from a cumulative distribution, at the edges of bins."""
        filled = np.flatnonzero(self.counts)
        sums = np.cumsum(self.counts[filled]) / self.counts.sum()
        edges = 2.0 ** ((filled + 1) / BINS_PER_OCTAVE - _OCTAVES)
        expected = np.array([distribution(edge) for edge in edges.tolist()])
        return float(np.abs(sums - expected).max())


def compute_normal_share(value: float, mean: float, deviation: float) -> float:
    """Return the cumulative distribution of the normal law at a value."""
    return 0.5 * math.erfc((mean - value) / (deviation * math.sqrt(2)))
