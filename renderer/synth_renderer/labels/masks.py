"""Visible and amodal masks of all bodies as lists of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface


@dataclass(frozen=True)
class Masks:
    """Masks of N bodies. Body n has the pixels pixel[start[n]:start[n + 1]], ascending."""

    start: NDArray[np.int64]
    """Places of the first pixels, (N + 1,)."""
    pixel: NDArray[np.int32]
    """Flat indices row * width + column, (P,)."""

    def select_pixels(self, body: int) -> NDArray[np.int32]:
        """Return the mask of a body: ascending flat indices."""
        return self.pixel[self.start[body] : self.start[body + 1]]

    def count_pixels(self) -> NDArray[np.int64]:
        """Return the area of each mask (N,)."""
        return np.diff(self.start)


def list_amodal_masks(fragments: Fragments) -> Masks:
    """Return the amodal masks: all pixels that each body covers, hidden or not."""
    return Masks(fragments.start, fragments.pixel)


def find_visible_masks(fragments: Fragments, surface: VisibleSurface, *, bodies_overlap: bool = False) -> Masks:
    """Return the visible masks: where bodies overlap the amodal ones, else the pixels of each body in `surface`."""
    if bodies_overlap:
        return list_amodal_masks(fragments)
    owner = np.repeat(np.arange(1, len(fragments.start), dtype=np.uint16), np.diff(fragments.start))
    is_seen = surface.ids.ravel()[fragments.pixel] == owner
    before = np.concatenate(([0], np.cumsum(is_seen, dtype=np.int64)))
    return Masks(before[fragments.start], fragments.pixel[is_seen])
