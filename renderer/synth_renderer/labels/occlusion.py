"""Occlusion: the bodies in front of each body; overlap: those in front of it or behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.labels.layers import Layers


def find_occluders(fragments: Fragments, layers: Layers) -> list[NDArray[np.uint16]]:
    """Return for each body the ascending ids of the bodies that lie nearer at some pixel of its amodal mask.

    Only bodies in `layers` count: others hide nothing and nothing hides them.
    """
    count, pairs = _list_occluders(fragments.start, fragments.pixel, layers.start, layers.body)
    ids = [np.sort(part).astype(np.uint16) for part in np.split(pairs + 1, np.cumsum(count))]
    return ids[:-1]


def find_overlaps(occluders: list[NDArray[np.uint16]]) -> list[NDArray[np.uint16]]:
    """Return for each body the ascending ids of the bodies that share a pixel with it, from `find_occluders`."""
    count = np.array([len(ids) for ids in occluders], dtype=np.int64)
    behind = np.repeat(np.arange(1, len(occluders) + 1), count)
    before = np.concatenate([*occluders, np.empty(0, np.uint16)]).astype(np.int64)
    pairs = np.unique(np.append(behind << 16 | before, before << 16 | behind))
    ends = np.searchsorted(pairs >> 16, np.arange(1, len(occluders) + 1), side="right")
    return np.split(pairs.astype(np.uint16), ends)[:-1]


@kernel
def _list_occluders(
    start: NDArray[np.int64], pixel: NDArray[np.int32], first: NDArray[np.int64], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return how many bodies hide each body (N,), and their numbers, one body after another.

    `noted` holds for each occluder the last body it was listed for; the list doubles when it is full.
    """
    bodies = len(start) - 1
    count, noted = np.zeros(bodies, dtype=np.int64), np.full(bodies, -1, dtype=np.int32)
    pairs, used = np.empty(1024, dtype=np.int32), 0
    for body in range(bodies):
        for f in range(start[body], start[body + 1]):
            slot, end = first[pixel[f]], first[pixel[f] + 1]
            while slot < end and owner[slot] != body:
                if noted[owner[slot]] != body:
                    noted[owner[slot]] = body
                    if used == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    pairs[used] = owner[slot]
                    used += 1
                    count[body] += 1
                slot += 1
    return count, pairs[:used]
