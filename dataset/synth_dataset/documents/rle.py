"""Masks in the run-length encoding (RLE) of COCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rle(TypedDict):
    """Compressed RLE: `size` is (height, width); `counts` are run lengths down the columns, background first."""

    size: list[int]
    counts: str


def encode_mask(pixels: NDArray[np.int32], width: int, height: int) -> Rle:
    """Encode the mask of `pixels` (P,): ascending flat indices row * width + column."""
    compressed = coco_mask.frPyObjects(
        {"size": [height, width], "counts": _to_run_lengths(pixels, width, height)}, height, width
    )
    return Rle(size=[height, width], counts=compressed["counts"].decode("ascii"))


def decode_mask(mask: Rle) -> NDArray[np.int32]:
    """Return the pixels of a mask as ascending flat indices (P,)."""
    decoded = coco_mask.decode({"size": mask["size"], "counts": mask["counts"].encode("ascii")})
    return np.flatnonzero(decoded).astype(np.int32)


def _to_run_lengths(pixels: NDArray[np.int32], width: int, height: int) -> list[int]:
    """Return alternating lengths of background and mask, down the columns from the left."""
    if not len(pixels):
        return [height * width]
    row, column = np.divmod(pixels, width)
    position = np.sort(column * height + row)
    first = np.flatnonzero(np.diff(position, prepend=-2) != 1)
    starts = position[first]
    ends = position[np.append(first[1:], len(position)) - 1] + 1
    edges = np.empty(2 * len(starts) + 2, dtype=np.int64)
    edges[0], edges[-1] = 0, height * width
    edges[1:-1:2], edges[2:-1:2] = starts, ends
    runs: list[int] = np.diff(edges).tolist()
    return runs if runs[-1] else runs[:-1]
