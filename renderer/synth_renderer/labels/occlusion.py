"""Which bodies hide which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.labels.layers import Layers


def occluded_by(fragments: Fragments, layers: Layers) -> list[NDArray[np.uint16]]:
    """For each body the ascending ids of the bodies that lie nearer at some pixel of its amodal mask.

    `layers` decides which bodies count: those that are not in it hide nothing and are hidden by nothing.
    """
    count, pairs = _pairs(fragments.start, fragments.pixel, layers.start, layers.body)
    ids = [np.sort(part).astype(np.uint16) for part in np.split(pairs + 1, np.cumsum(count))]
    return ids[:-1]


@kernel
def _pairs(
    start: NDArray[np.int64], pixel: NDArray[np.int32], first: NDArray[np.int64], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """How many bodies hide each body, and which, one body after another."""
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
