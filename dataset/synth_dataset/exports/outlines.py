"""Outlines of masks along the edges of their pixels, so that a polygon covers exactly the pixels of its mask.

Corners are points (x, y) of the pixel grid: pixel (column, row) spans (column, row) to (column + 1, row + 1).
Components are those of 4 neighbours; a polygon never crosses itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Loop = list[tuple[int, int]]
    """Corners (x, y) of a closed line, each once."""


@dataclass(frozen=True)
class _Corners:
    """Corners of all loops, sorted by id and row; `along` and `across` give the other end of the edges at a corner."""

    number: list[int]
    x: list[int]
    y: list[int]
    along: list[int]
    across: list[int]


def trace_polygons(ids: NDArray[np.integer[Any]]) -> dict[int, list[Loop]]:
    """Return the polygons of each id of a picture (H, W), one for each component; 0 is background.

    A polygon has no holes, so a cut of no width joins a hole to its outline, there and back: the area stays exact.
    """
    polygons: dict[int, list[Loop]] = {}
    holes: dict[int, list[Loop]] = {}
    for number, loop in _trace_loops(_find_corners(ids)):
        x, y = loop[0]
        is_outline = y < ids.shape[0] and x < ids.shape[1] and ids[y, x] == number
        (polygons if is_outline else holes).setdefault(number, []).append(loop)
    for number, loops in holes.items():
        _join_holes(polygons[number], loops)
    return polygons


def _join_holes(outlines: list[Loop], holes: list[Loop]) -> None:
    """Join each hole to the outline of the component around it, in place."""
    arrays = [np.array(loop) for loop in outlines]
    # The pixel above the first corner of a hole belongs to the component.
    owners = [_find_innermost(arrays, x, y - 1) for (x, y), *_ in holes]
    for owner, hole in zip(owners, holes, strict=True):
        outlines[owner] = join_loops(outlines[owner], hole)


def _find_innermost(outlines: list[NDArray[np.int64]], x: int, y: int) -> int:
    """Return the index of the narrowest outline around pixel (x, y): others around it are around that outline too."""
    around = [number for number, outline in enumerate(outlines) if _encloses(outline, x, y)]
    return min(around, key=lambda number: int(np.ptp(outlines[number][:, 0])))


def _encloses(outline: NDArray[np.int64], x: int, y: int) -> bool:
    """Return True if a ray from pixel (x, y) up crosses an odd number of edges along rows, (first, second), …"""
    one, two = outline[0::2], outline[1::2]
    spans = (np.minimum(one[:, 0], two[:, 0]) <= x) & (x < np.maximum(one[:, 0], two[:, 0]))
    return bool(np.count_nonzero(spans & (one[:, 1] <= y)) % 2)


def join_loops(first: Loop, second: Loop) -> Loop:
    """Return one loop around both: a cut of no width leads from the first to the second and back on the same way."""
    one, two = np.array(first), np.array(second)
    distances = np.abs(one[:, None, :] - two[None, :, :]).sum(axis=2)
    at, to = map(int, np.unravel_index(int(distances.argmin()), distances.shape))
    bend = (second[to][0], first[at][1])
    around = [*second[to:], *second[: to + 1]]
    return [*first[: at + 1], bend, *around, bend, *first[at:]]


def _find_corners(ids: NDArray[np.integer[Any]]) -> _Corners:
    """Find the corners of all ids; one where only two diagonal pixels have the id is there twice, once for each.

    A row of the grid has an even number of corners of an id: edges lie between the first and the second, the third and
    the fourth, and so on. The same holds for a column.
    """
    number, y, x, around = _list_quads(ids)
    left_above, right_above, left_below, right_below = around.T
    is_twice = (left_above == right_below) & (left_below == right_above)
    order = np.repeat(np.arange(len(y)), 1 + is_twice)
    order = order[np.lexsort((x[order], y[order], number[order]))]
    is_second = np.append(False, order[1:] == order[:-1])[: len(order)]
    # Where the pixels above left and below right have the id, the first copy turns up; else the second does.
    turns_down = is_second ^ (is_twice & ~left_above)[order]
    number, y, x = number[order], y[order], x[order]
    columns = np.lexsort((turns_down, y, x, number))
    return _Corners(number.tolist(), x.tolist(), y.tolist(), _pair(np.arange(len(order))), _pair(columns))


def _list_quads(ids: NDArray[np.integer[Any]]) -> tuple[NDArray[Any], ...]:
    """Return (id, y, x, around) of each point where an outline turns; `around` (N, 4) says which pixels have the id."""
    padded = np.pad(ids, 1)
    quads = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]], axis=-1)
    y, x = np.nonzero((quads != quads[..., :1]).any(axis=-1))
    quads = quads[y, x]
    found = []
    for place in range(4):
        number = quads[:, place]
        around = quads == number[:, None]
        is_new = (number != 0) & ~around[:, :place].any(axis=1)
        is_straight = (around[:, 0] == around[:, 1]) & (around[:, 2] == around[:, 3])
        is_upright = (around[:, 0] == around[:, 2]) & (around[:, 1] == around[:, 3])
        turns = is_new & ~is_straight & ~is_upright
        found.append((number[turns], y[turns], x[turns], around[turns]))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _pair(order: NDArray[np.int64]) -> list[int]:
    """Return the partner of each corner, where consecutive corners of an order are partners."""
    partner = np.empty(len(order), np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    partners: list[int] = partner.tolist()
    return partners


def _trace_loops(corners: _Corners) -> Iterator[tuple[int, Loop]]:
    """Yield id and corners of all loops, each from its first corner in the order of rows, first along the row."""
    seen = bytearray(len(corners.x))
    for start in range(len(seen)):
        if seen[start]:
            continue
        loop: Loop = []
        corner = start
        while not seen[corner]:
            turn = corners.along[corner]
            seen[corner] = seen[turn] = 1
            loop += [(corners.x[corner], corners.y[corner]), (corners.x[turn], corners.y[turn])]
            corner = corners.across[turn]
        yield corners.number[start], loop
