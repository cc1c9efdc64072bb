"""Visible surface: the nearest of all fragments at every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.fragments import VisibleSurface
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments

MAX_BODIES = 65535
"""Largest id of 16 bits; 0 is background."""


def find_visible_surface(fragments: Fragments, shown: NDArray[np.bool_] | None = None) -> VisibleSurface:
    """Return the nearest fragments of the bodies `shown` (N,) bool, or of all; at equal depth the lower id wins.

    Raise ValueError with more bodies than ids.
    """
    bodies = len(fragments.start) - 1
    if bodies > MAX_BODIES:
        raise ValueError(f"{bodies} bodies, but ids are 16 bits wide: at most {MAX_BODIES}")
    included = np.ones(bodies, dtype=np.bool_) if shown is None else shown
    nearest = _find_nearest(
        fragments.start, fragments.pixel, fragments.depth, included, fragments.width * fragments.height
    )
    return _build_surface(fragments, nearest)


def put_before(front: VisibleSurface, back: VisibleSurface) -> VisibleSurface:
    """Return a surface with all pixels of another one before it, whatever their depths."""
    is_front = front.ids > 0
    return VisibleSurface(
        np.where(is_front, front.ids, back.ids),
        np.where(is_front, front.depth, back.depth),
        np.where(is_front[..., None], front.normal, back.normal),
    )


@kernel
def _find_nearest(
    start: NDArray[np.int64],
    pixel: NDArray[np.int32],
    depth: NDArray[np.float32],
    shown: NDArray[np.bool_],
    pixels: int,
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Return id and number of the nearest fragment at every pixel, (H W,); 0 and -1 where there is none."""
    ids = np.zeros(pixels, dtype=np.uint16)
    nearest = np.full(pixels, -1, dtype=np.int64)
    for body in range(len(start) - 1):
        if not shown[body]:
            continue
        for f in range(start[body], start[body + 1]):
            p = pixel[f]
            if nearest[p] < 0 or depth[f] < depth[nearest[p]]:
                ids[p], nearest[p] = body + 1, f
    return ids, nearest


def _build_surface(fragments: Fragments, found: tuple[NDArray[np.uint16], NDArray[np.int64]]) -> VisibleSurface:
    """Return the surface of ids and numbers of fragments, (H W,) each."""
    ids, nearest = found
    covered = nearest >= 0
    depth = np.full(len(ids), np.inf, dtype=np.float32)
    normal = np.zeros((len(ids), 3), dtype=np.float32)
    depth[covered] = fragments.depth[nearest[covered]]
    normal[covered] = fragments.normal[nearest[covered]]
    shape = fragments.height, fragments.width
    return VisibleSurface(ids.reshape(shape), depth.reshape(shape), normal.reshape(*shape, 3))
