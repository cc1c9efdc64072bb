"""Particle sizes of runs: mean diameter, and a histogram between the smallest and the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = 24
LEVELS: Final = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)
"""Digits of the bars of a histogram, from none to the tallest."""


class RunSizes(NamedTuple):
    """Diameters of the particles of a run, in scene units, and their histogram."""

    mean: float
    low: float
    """Lower edge of the first bin."""
    high: float
    """Upper edge of the last bin."""
    bars: str
    """One digit of LEVELS per bin: its count in parts of 1/63 of the tallest, rounded up."""


def compute_diameters(volumes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the diameters (N,) of spheres of these volumes (N,), in scene units: (6 V / pi)^(1/3)."""
    diameters: NDArray[np.float64] = np.cbrt(volumes * (6 / np.pi))
    return diameters


def summarize_sizes(runs: NDArray[np.int64], diameters: NDArray[np.float64]) -> dict[int, RunSizes]:
    """Summarize diameters (N,) by run; `runs` (N,) are the run numbers, equal ones side by side.

    A diameter that is not a number is left out, and so is a run without any other.
    """
    known = np.isfinite(diameters)
    runs, diameters = runs[known], diameters[known]
    if not len(runs):
        return {}
    starts = np.flatnonzero(np.diff(runs, prepend=runs[0] - 1))
    rows = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(runs)))
    means = np.add.reduceat(diameters, starts) / np.diff(starts, append=len(runs))
    low, high = _find_edges(np.minimum.reduceat(diameters, starts), np.maximum.reduceat(diameters, starts))
    bins = np.minimum((diameters - low[rows]) / (high - low)[rows] * BINS, BINS - 1).astype(np.int64)
    counts = np.bincount(rows * BINS + bins, minlength=len(starts) * BINS).reshape(-1, BINS)
    levels = -(-counts * (len(LEVELS) - 1) // counts.max(axis=1, keepdims=True))
    bars = LEVELS[levels].view(f"S{BINS}").ravel().astype(str)
    columns = [_round(column) for column in (means, low, high)]
    return dict(zip(runs[starts].tolist(), map(RunSizes, *columns, bars.tolist()), strict=True))


def _find_edges(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges of histograms; equal values get bins of 1 % around them.

    Rounding must neither exclude a value nor make an empty bin.
    """
    margin = np.where(high - low <= 1e-6 * np.maximum(abs(high), 1e-9), 0.12 * np.maximum(abs(low), 1e-9), 0.0)
    return low - margin, high + margin


def _round(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]
