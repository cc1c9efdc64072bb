"""Sites of a lattice on the substrate.

Outputs of the lattice's key: 1 and 2 its phase, 3 and 4 the first site, 5 the key of the other crystals, 6 the field of
vacancies, 7 its heading, 8 and 9 the middle of a crystal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.pose import draw_heading
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, draw_word, index_cell, plane_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATCH_PITCHES: Final = 4.0
"""Lattice step of the field of vacancies, pitches: about the width of a patch of vacancies."""


def draw_lattice_sites(
    view: tuple[float, float], kind: str, pitch: float, jitter: float, vacancies: float, crystals: int, key: np.uint64
) -> NDArray[np.float64]:
    """Return sites (S, 3), x, y and number of the crystal, ordered by distance from a random point of the picture.

    They reach one pitch beyond the picture. `pitch` and `jitter`, the standard deviation of the sites, in scene units.
    `vacancies` is the share of sites left out, where a smooth random field is lowest. Each of the `crystals` has the
    sites that are nearer to its middle than to the others'.
    """
    middles = np.array([_draw_point(view, _draw_crystal_key(key, crystal), 8) for crystal in range(crystals)])
    parts = []
    for crystal in range(crystals):
        sites = _draw_sites(view, kind == "hexagonal", pitch, jitter, _draw_crystal_key(key, crystal))
        square = (sites[:, None, 0] - middles[:, 0]) ** 2 + (sites[:, None, 1] - middles[:, 1]) ** 2
        sites = sites[np.argmin(square, axis=1) == crystal]
        parts.append(np.column_stack([sites, np.full(len(sites), crystal)]))
    every = np.concatenate(parts)
    left_out = np.sort(every[:, 2])[: int(vacancies * len(every))]
    kept = every[every[:, 2] > (left_out[-1] if len(left_out) else -np.inf)][:, [0, 1, 3]]
    x, y = _draw_point(view, key, 3)
    square = (kept[:, 0] - x) * (kept[:, 0] - x) + (kept[:, 1] - y) * (kept[:, 1] - y)
    return np.ascontiguousarray(kept[np.argsort(square, kind="stable")])


def draw_lattice_heading(key: np.uint64, crystal: int) -> NDArray[np.float64]:
    """Return the unit vector (2,) along the rows of a crystal."""
    return draw_heading(np.uint64(draw_word(_draw_crystal_key(key, crystal), np.uint64(7))))


def _draw_crystal_key(key: np.uint64, crystal: int) -> np.uint64:
    """Return the key of a crystal's lattice, that of the lattice itself for the first one."""
    return key if crystal == 0 else np.uint64(draw_word(np.uint64(draw_word(key, np.uint64(5))), np.uint64(crystal)))


def _draw_point(view: tuple[float, float], key: np.uint64, index: int) -> tuple[float, float]:
    """Return a random point of the picture, scene units, from two outputs of the key."""
    x, y = ((float(draw_uniform(key, np.uint64(index + axis))) - 0.5) * view[axis] for axis in range(2))
    return x, y


@kernel
def _draw_sites(
    view: tuple[float, float], is_hexagonal: bool, pitch: float, jitter: float, key: np.uint64
) -> NDArray[np.float64]:
    """Return x, y (scene units) and value of the field of vacancies, (S, 3), of all sites.

    Sites reach one pitch beyond the view; rows have the lattice's heading. In a hexagonal lattice rows are sqrt(3/4)
    pitches apart, each shifted by half a pitch.
    """
    turn = draw_heading(draw_word(key, np.uint64(7)))
    along, across = (0.5, math.sqrt(0.75)) if is_hexagonal else (0.0, 1.0)
    count = math.ceil((view[0] + view[1]) / pitch) + 2
    sites = np.empty(((2 * count + 1) * (4 * count + 1), 3))
    used = 0
    for j in range(-count, count + 1):
        for i in range(-2 * count, 2 * count + 1):
            u = pitch * (i + along * j + draw_uniform(key, np.uint64(1)))
            v = pitch * (across * j + draw_uniform(key, np.uint64(2)))
            x, y = turn[0] * u - turn[1] * v, turn[1] * u + turn[0] * v
            if abs(x) > 0.5 * view[0] + pitch or abs(y) > 0.5 * view[1] + pitch:
                continue
            place = index_cell(i, j) << np.uint64(2)
            sites[used, 0] = x + jitter * _draw_normal(key, place)
            sites[used, 1] = y + jitter * _draw_normal(key, place + np.uint64(16))
            sites[used, 2] = plane_noise(
                draw_word(key, np.uint64(6)), u / (PATCH_PITCHES * pitch), v / (PATCH_PITCHES * pitch)
            )
            used += 1
    return sites[:used]


@kernel
def _draw_normal(key: np.uint64, place: np.uint64) -> float:
    """Return a nearly normal number, mean 0 and variance 1: the sum of twelve uniform draws less 6.

    It needs no transcendental function, so it has the same bits everywhere.
    """
    total = -6.0
    for draw in range(12):
        total += draw_uniform(key, place + np.uint64(draw))
    return total
