"""`thumb.webp`: previews of the pictures of a run side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIDE_PIXELS: Final = 192
"""Length of the longer side of each preview."""


def build_contact_strip(pictures: Sequence[NDArray[np.uint8] | NDArray[np.uint16]]) -> NDArray[np.uint8]:
    """Previews (SIDE, n SIDE, 3) RGB of pictures of any size and depth, each centred on black."""
    cells = [_build_cell(picture) for picture in pictures] or [np.zeros((SIDE_PIXELS, SIDE_PIXELS, 3), dtype=np.uint8)]
    return np.concatenate(cells, axis=1)


def _build_cell(picture: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    eight_bit = (picture >> 8).astype(np.uint8) if picture.dtype == np.uint16 else picture.astype(np.uint8)
    colour = np.repeat(eight_bit[..., None], 3, axis=2) if eight_bit.ndim == 2 else eight_bit
    height, width = colour.shape[:2]
    scale = SIDE_PIXELS / max(height, width)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    small = cv2.resize(np.ascontiguousarray(colour), size, interpolation=cv2.INTER_AREA)
    cell = np.zeros((SIDE_PIXELS, SIDE_PIXELS, 3), dtype=np.uint8)
    top, left = (SIDE_PIXELS - size[1]) // 2, (SIDE_PIXELS - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell
