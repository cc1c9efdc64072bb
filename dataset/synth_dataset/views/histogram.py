"""Particle size histograms as inline SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

BINS: Final = 24


def compute_edges(samples: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Compute edges (BINS + 1,) of equal bins over the range of all samples; 0 to 1 without any value."""
    filled = [sample for sample in samples if len(sample)]
    if not filled:
        return np.linspace(0.0, 1.0, BINS + 1)
    low, high = min(float(sample.min()) for sample in filled), max(float(sample.max()) for sample in filled)
    # Equal values get bins of 1 % around them: rounding must neither exclude a value nor make an empty bin.
    margin = 0.12 * max(abs(low), 1e-9) if high - low <= 1e-6 * max(abs(high), 1e-9) else 0.0
    return np.linspace(low - margin, high + margin, BINS + 1)


def count_values(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count values per bin, (BINS,); the last bin includes its upper edge."""
    return np.histogram(values, edges)[0].astype(np.int64)


def draw_bars(numbers: NDArray[np.int64], width: int, height: int) -> str:
    """Return `d` of an SVG path in px: one bar per bin on a baseline at `height`, the tallest up to 0."""
    top = int(numbers.max(initial=0))
    if not top:
        return ""
    step = width / len(numbers)
    return "".join(
        f"M{round(index * step, 1):g} {height}v-{max(1.0, round(height * int(number) / top, 1)):g}"
        f"h{round(step - 1, 1):g}V{height}z"
        for index, number in enumerate(numbers)
        if number
    )
