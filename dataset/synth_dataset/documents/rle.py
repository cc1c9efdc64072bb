"""Masks in the run-length encoding (RLE) of COCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    return np.flatnonzero(coco_mask.decode(_to_bytes(mask))).astype(np.int32)


def _to_bytes(mask: Rle) -> dict[str, Any]:
    """Return a mask as pycocotools takes it."""
    return {"size": mask["size"], "counts": mask["counts"].encode("ascii")}


def join_masks(masks: Sequence[Rle]) -> Rle:
    """Return the union of masks of one picture, of which there is at least one."""
    joined = coco_mask.merge([_to_bytes(mask) for mask in masks])
    return Rle(size=list(joined["size"]), counts=joined["counts"].decode("ascii"))


def measure_area(mask: Rle) -> int:
    """Return the number of pixels of a mask."""
    return int(coco_mask.area(_to_bytes(mask)))


def find_box(mask: Rle) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a mask that is not empty."""
    row, column = np.divmod(decode_mask(mask), mask["size"][1])
    left, top = int(column.min()), int(row.min())
    return left, top, int(column.max()) + 1 - left, int(row.max()) + 1 - top


def check_run_lengths(counts: str, pixels: int) -> None:
    """Raise ValueError unless compressed run lengths cover a picture of so many pixels.

    pycocotools reads and writes beyond its memory for longer ones, and does not end for some.
    """
    valid = counts and all("0" <= character <= "o" for character in counts) and ord(counts[-1]) - ord("0") < 0x20
    lengths = _parse_run_lengths([counts])[0] if valid else np.array([-1])
    if lengths.min() < 0 or lengths.sum() != pixels:
        raise ValueError(f"has run lengths that are not those of {pixels:,} pixels")


def paint_masks(ids: Sequence[int], masks: Sequence[Rle], width: int, height: int) -> NDArray[np.uint16]:
    """Return the picture (H, W) of ids whose masks do not overlap, 0 elsewhere."""
    if not masks:
        return np.zeros((height, width), np.uint16)
    lengths, owner, position = _parse_run_lengths([mask["counts"] for mask in masks])
    # A run of the background ends where one of the mask begins, and the other way round.
    steps = np.where(position % 2 == 0, 1, -1) * np.array(ids)[owner]
    changes = np.bincount(_sum_groups(lengths, owner), steps, minlength=width * height + 1)
    columns = np.cumsum(changes[:-1]).astype(np.uint16).reshape(width, height)
    return np.ascontiguousarray(columns.T)


def _parse_run_lengths(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the run lengths in compressed texts, each with the number of its text and its position there.

    Characters hold 5 bits of a number, least first, and a bit that says that more follow; the last one has the sign.
    From the fourth number of a text on it is the difference to the number two before.
    """
    codes = np.frombuffer("".join(texts).encode("ascii"), np.uint8).astype(np.int64) - ord("0")
    last = np.flatnonzero(codes & 0x20 == 0)
    first = np.append(0, last[:-1] + 1)
    size = last - first + 1
    place = np.arange(len(codes)) - np.repeat(first, size)
    numbers = np.add.reduceat((codes & 0x1F) << (5 * place), first)
    numbers -= np.where(codes[last] & 0x10, 1 << (5 * size), 0)
    owner = np.searchsorted(np.cumsum([len(text) for text in texts]), first, side="right")
    position = _sum_groups(np.ones_like(owner), owner) - 1
    chain = 3 * owner + np.where(position == 0, 0, 1 + position % 2)
    order = np.argsort(chain, kind="stable")
    lengths = np.empty_like(numbers)
    lengths[order] = _sum_groups(numbers[order], chain[order])
    return lengths, owner, position


def _sum_groups(values: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the running sums of values in each group; the values of a group are consecutive."""
    sums = np.cumsum(values)
    heads = np.flatnonzero(np.diff(groups, prepend=-1))
    counts = np.diff(np.append(heads, len(values)))
    result: NDArray[np.int64] = sums - np.repeat(sums[heads] - values[heads], counts)
    return result


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
