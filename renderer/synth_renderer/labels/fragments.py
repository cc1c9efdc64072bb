"""Result of the rasteriser: every body at every pixel centre that it covers, hidden or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Fragments:
    """Nearest surface of each body at each pixel centre that it covers: F fragments of N bodies.

    Body n owns fragments start[n]:start[n + 1], in order of pixel.
    """

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    start: NDArray[np.int64]
    """Numbers of the first fragments, (N + 1,)."""
    pixel: NDArray[np.int32]
    """Flat indices row * width + column, (F,)."""
    depth: NDArray[np.float32]
    """Distance from the camera along its axis, scene units, (F,)."""
    normal: NDArray[np.float32]
    """Unit normals, camera frame, (F, 3)."""


@dataclass(frozen=True)
class VisibleSurface:
    """Nearest fragment at every pixel, as in a sharp picture without noise."""

    ids: NDArray[np.uint16]
    """Ids (H, W): 0 is background, body n has id n + 1."""
    depth: NDArray[np.float32]
    """Distance from the camera along its axis (H, W), scene units; inf is background."""
    normal: NDArray[np.float32]
    """Unit normals (H, W, 3), camera frame; 0 is background."""
