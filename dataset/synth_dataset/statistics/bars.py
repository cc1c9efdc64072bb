"""Histograms of values, and their bars as inline SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.statistics.statistics_document import Histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = 24


def count_values(values: NDArray[np.float64]) -> Histogram:
    """Return the histogram of values (N,), at least one, in equal bins over their range.

    Equal values get bins of 1 % around them: rounding must neither exclude a value nor make an empty bin.
    """
    low, high = float(values.min()), float(values.max())
    margin = 0.12 * max(abs(low), 1e-9) if high - low <= 1e-6 * max(abs(high), 1e-9) else 0.0
    counts, edges = np.histogram(values, BINS, (low - margin, high + margin))
    return build_histogram(counts, edges)


def build_histogram(counts: NDArray[np.integer[Any]], edges: NDArray[np.float64]) -> Histogram:
    """Return the histogram of counts (N,) between equally spaced edges (N + 1,)."""
    return Histogram(low=float(edges[0]), high=float(edges[-1]), counts=tuple(counts.tolist()))


def draw_bars(histogram: Histogram, width: int, height: int) -> str:
    """Return `d` of an SVG path in px: one bar for each bin on a baseline at `height`, the tallest up to 0."""
    top = max(histogram.counts, default=0) or 1
    step = width / max(len(histogram.counts), 1)
    return "".join(
        f"M{place * step:.1f} {height}v-{max(1.0, height * count / top):.1f}h{step - 1:.1f}V{height}z"
        for place, count in enumerate(histogram.counts)
        if count
    )
