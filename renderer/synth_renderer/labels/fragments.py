"""What the rasteriser yields: every body at every pixel centre that it covers, hidden or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Fragments:
    """The nearest surface of each body at each pixel centre it covers: F fragments of N bodies.

    Body n owns fragments start[n]:start[n + 1], in order of pixel. start (N + 1,) int64; pixel (F,) int32 = row * width
    + column; depth (F,) float32, scene units along the camera's axis; normal (F, 3) float32, unit, camera frame.
    """

    width: int
    height: int
    start: NDArray[np.int64]
    pixel: NDArray[np.int32]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]


@dataclass(frozen=True)
class VisibleSurface:
    """The nearest fragment at every pixel: what a sharp picture without noise would show.

    ids (H, W) uint16, 0 is background, body n has id n + 1; depth (H, W) float32, inf is background; normal (H, W, 3)
    float32, camera frame, 0 is background.
    """

    ids: NDArray[np.uint16]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
