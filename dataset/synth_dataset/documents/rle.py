"""Masks as COCO run-length encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rle(TypedDict):
    """COCO's compressed form: `size` is height, width; `counts` are run lengths down the columns, background first."""

    size: list[int]
    counts: str


def rle(pixels: NDArray[np.int32], width: int, height: int) -> Rle:
    """The mask of some pixels: ascending flat indices row * width + column, (P,)."""
    compressed = coco_mask.frPyObjects({"size": [height, width], "counts": _runs(pixels, width, height)}, height, width)
    return Rle(size=[height, width], counts=compressed["counts"].decode("ascii"))


def pixels_of(mask: Rle) -> NDArray[np.int32]:
    """The pixels of a mask, as `rle` takes them."""
    decoded = coco_mask.decode({"size": mask["size"], "counts": mask["counts"].encode("ascii")})
    return np.flatnonzero(decoded).astype(np.int32)


def _runs(pixels: NDArray[np.int32], width: int, height: int) -> list[int]:
    """Lengths of the runs of background and mask in turn, down the columns from the left."""
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
