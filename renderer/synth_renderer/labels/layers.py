"""All fragments of each pixel from front to back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments


@dataclass(frozen=True)
class Layers:
    """Fragments by pixel: pixel p has order[start[p]:start[p + 1]], nearest first, equal depths by id."""

    start: NDArray[np.int64]
    """Places of the pixels' first fragments in `order`, (H W + 1,)."""
    order: NDArray[np.int64]
    """Numbers of fragments, (F',)."""
    body: NDArray[np.int32]
    """Body of each fragment in `order`, (F',)."""


def sort_layers(fragments: Fragments, shown: NDArray[np.bool_] | None = None) -> Layers:
    """Sort the fragments of the bodies `shown` (N,) bool, or of all, by pixel and depth."""
    included = np.ones(len(fragments.start) - 1, dtype=np.bool_) if shown is None else shown
    pixels = fragments.width * fragments.height
    return Layers(*_sort_fragments(fragments.start, fragments.pixel, fragments.depth, included, pixels))


@kernel
def _sort_fragments(
    start: NDArray[np.int64],
    pixel: NDArray[np.int32],
    depth: NDArray[np.float32],
    shown: NDArray[np.bool_],
    pixels: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return start, order and body of `Layers`: counting sort by pixel, insertion sort within a pixel.

    Bodies come in order of id, so fragments of equal depth stay in that order.
    """
    end = np.zeros(pixels + 1, dtype=np.int64)
    for body in range(len(shown)):
        if shown[body]:
            for f in range(start[body], start[body + 1]):
                end[pixel[f] + 1] += 1
    first = np.cumsum(end)
    end = first[:-1].copy()
    order, owner = np.empty(first[-1], dtype=np.int64), np.empty(first[-1], dtype=np.int32)
    for body in range(len(shown)):
        if not shown[body]:
            continue
        for f in range(start[body], start[body + 1]):
            p = pixel[f]
            slot = end[p]
            while slot > first[p] and depth[order[slot - 1]] > depth[f]:
                order[slot], owner[slot] = order[slot - 1], owner[slot - 1]
                slot -= 1
            order[slot], owner[slot] = f, body
            end[p] += 1
    return first, order, owner
