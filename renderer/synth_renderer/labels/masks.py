"""The pixels of a body, seen and unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface


def amodal_pixels(fragments: Fragments, body: int) -> NDArray[np.int32]:
    """Ascending flat indices (row * width + column) of every pixel the body covers, hidden or not."""
    return fragments.pixel[fragments.start[body] : fragments.start[body + 1]]


def visible_pixels(fragments: Fragments, surface: VisibleSurface, body: int) -> NDArray[np.int32]:
    """Ascending flat indices of the pixels that show the body, a subset of its amodal pixels."""
    amodal = amodal_pixels(fragments, body)
    seen: NDArray[np.int32] = amodal[surface.ids.ravel()[amodal] == body + 1]
    return seen
