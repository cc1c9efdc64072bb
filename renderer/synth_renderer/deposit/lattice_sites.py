"""The sites of a lattice on the substrate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.pose import heading
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import cell, uniform, value, word

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATCH: Final = 4.0
"""Width of patches of vacancies, in pitches."""


def lattice_sites(
    view: tuple[float, float], kind: str, pitch: float, jitter: float, vacancies: float, key: np.uint64
) -> NDArray[np.float64]:
    """Sites (S, 2) over the picture and one pitch around it, in order of their distance from a random point of it.

    `pitch` and `jitter`, the standard deviation of the sites, in scene units; `vacancies` is the share of sites that
    is left out, where a smooth random field is lowest.
    """
    sites = _sites(view, kind == "hexagonal", pitch, jitter, key)
    left_out = np.sort(sites[:, 2])[: int(vacancies * len(sites))]
    kept = sites[sites[:, 2] > (left_out[-1] if len(left_out) else -np.inf), :2]
    x, y = ((float(uniform(key, np.uint64(3 + axis))) - 0.5) * view[axis] for axis in range(2))
    far = (kept[:, 0] - x) * (kept[:, 0] - x) + (kept[:, 1] - y) * (kept[:, 1] - y)
    return np.ascontiguousarray(kept[np.argsort(far, kind="stable")])


def lattice_heading(key: np.uint64) -> NDArray[np.float64]:
    """Unit vector (2,) along the lattice's rows."""
    return heading(np.uint64(word(key, np.uint64(7))))


@kernel
def _sites(
    view: tuple[float, float], is_hexagonal: bool, pitch: float, jitter: float, key: np.uint64
) -> NDArray[np.float64]:
    """x, y and rank among vacancies (S, 3) of all sites on the picture and one pitch around it."""
    turn = heading(word(key, np.uint64(7)))
    along, across = (0.5, math.sqrt(0.75)) if is_hexagonal else (0.0, 1.0)
    count = math.ceil((view[0] + view[1]) / pitch) + 2
    sites = np.empty(((2 * count + 1) * (4 * count + 1), 3))
    found = 0
    for j in range(-count, count + 1):
        for i in range(-2 * count, 2 * count + 1):
            u = pitch * (i + along * j + uniform(key, np.uint64(1)))
            v = pitch * (across * j + uniform(key, np.uint64(2)))
            x, y = turn[0] * u - turn[1] * v, turn[1] * u + turn[0] * v
            if abs(x) > 0.5 * view[0] + pitch or abs(y) > 0.5 * view[1] + pitch:
                continue
            place = cell(i, j) << np.uint64(2)
            sites[found, 0] = x + jitter * _normal(key, place)
            sites[found, 1] = y + jitter * _normal(key, place + np.uint64(16))
            sites[found, 2] = value(word(key, np.uint64(6)), u / (PATCH * pitch), v / (PATCH * pitch))
            found += 1
    return sites[:found]


@kernel
def _normal(key: np.uint64, place: np.uint64) -> float:
    """Twelve uniform draws less 6: normal for all that lattices need, and without transcendental functions."""
    total = -6.0
    for draw in range(12):
        total += uniform(key, place + np.uint64(draw))
    return total
