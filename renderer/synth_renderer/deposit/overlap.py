"""Overlap of deposited bodies, by volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.landscape import Landscape, find_column, find_row
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

MIN_VOLUME: Final = 1e-300
"""Divisor for bodies without volume."""


def measure_largest_shared_volume(land: Landscape, profiles: Sequence[Profile], places: NDArray[np.float64]) -> float:
    """Return the largest share of a body's volume that lies within another one, 0 … 1; places (N, 3) of their middles.

    Volumes are sums over the map's cells, with each body solid between its lower and upper surface.
    """
    shared = 0.0
    windows = np.array([_find_window(land, profile, place) for profile, place in zip(profiles, places, strict=True)])
    for first, window in enumerate(windows):
        later = windows[first + 1 :]
        apart = (later[:, 0] >= window[2]) | (later[:, 2] <= window[0])
        apart |= (later[:, 1] >= window[3]) | (later[:, 3] <= window[1])
        for second in np.flatnonzero(~apart) + first + 1:
            one, other = profiles[first], profiles[second]
            common = _sum_common_heights(one, other, window, windows[second], places[first, 2], places[second, 2])
            shared = max(shared, common * land.cell * land.cell / max(min(one.volume, other.volume), MIN_VOLUME))
    return shared


def _find_window(land: Landscape, profile: Profile, place: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return first row and column, end row and column (exclusive) of a placed profile on the map."""
    row = find_row(land, place[1]) + profile.first_row
    column = find_column(land, place[0]) + profile.first_column
    return row, column, row + profile.bottom.shape[0], column + profile.bottom.shape[1]


@kernel
def _sum_common_heights(
    one: Profile, other: Profile, first: NDArray[np.int64], second: NDArray[np.int64], z_one: float, z_other: float
) -> float:
    """Return the sum over common cells of the height that both bodies fill, scene units.

    `first` and `second` are the windows of the bodies, see `_find_window`; z are the heights of their middles.
    """
    total = 0.0
    for row in range(max(first[0], second[0]), min(first[2], second[2])):
        for column in range(max(first[1], second[1]), min(first[3], second[3])):
            i, j, k, m = row - first[0], column - first[1], row - second[0], column - second[1]
            upper = min(z_one + one.top[i, j], z_other + other.top[k, m])
            lower = max(z_one + one.bottom[i, j], z_other + other.bottom[k, m])
            total += max(upper - lower, 0.0)
    return total
