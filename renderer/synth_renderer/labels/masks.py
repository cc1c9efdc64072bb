"""Visible and amodal mask of a body as lists of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface


def select_amodal_pixels(fragments: Fragments, body: int) -> NDArray[np.int32]:
    """Return the amodal mask: ascending flat indices (row * width + column) of the body's pixels, hidden or not."""
    return fragments.pixel[fragments.start[body] : fragments.start[body + 1]]


def select_visible_pixels(fragments: Fragments, surface: VisibleSurface, body: int) -> NDArray[np.int32]:
    """Return the visible mask: ascending flat indices of the pixels that show the body, a subset of the amodal mask."""
    amodal = select_amodal_pixels(fragments, body)
    seen: NDArray[np.int32] = amodal[surface.ids.ravel()[amodal] == body + 1]
    return seen
