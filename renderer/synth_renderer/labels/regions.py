"""Regions of a picture in which bodies overlap: pixels that the same bodies cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments


def number_regions(fragments: Fragments, shown: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the region of each pixel (H, W), 0 where no body `shown` (N,) bool lies.

    Two pixels have one number exactly when the same bodies cover both.
    """
    regions = _split_regions(fragments.start, fragments.pixel, shown, fragments.width * fragments.height)
    return np.asarray(regions.reshape(fragments.height, fragments.width))


@kernel
def _split_regions(
    start: NDArray[np.int64], pixel: NDArray[np.int32], shown: NDArray[np.bool_], pixels: int
) -> NDArray[np.int32]:
    """Return the regions (H W,): each body splits those that it reaches, what it covers gets a new number."""
    region = np.zeros(pixels, dtype=np.int32)
    inside = np.zeros(len(pixel) + 1, dtype=np.int32)
    splitter = np.full(len(pixel) + 1, -1, dtype=np.int32)
    used = 0
    for body in range(len(shown)):
        if not shown[body]:
            continue
        for f in range(start[body], start[body + 1]):
            old = region[pixel[f]]
            if splitter[old] != body:
                used += 1
                splitter[old], inside[old] = body, used
            region[pixel[f]] = inside[old]
    return region
