"""Masks as COCO writes them: polygons, run lengths and compressed run lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycocotools import mask as coco_mask

from synth_dataset.documents.rle import Rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def to_rle(segmentation: Sequence[Any] | Mapping[str, Any], width: int, height: int) -> Rle:
    """Return a segmentation of an image as compressed run lengths.

    Raises ValueError for one that is none, or one of an image of another size.
    """
    if isinstance(segmentation, list):
        parts = coco_mask.frPyObjects(segmentation, height, width)
        return _check_size(coco_mask.merge(parts), width, height)
    counts = segmentation["counts"]  # type: ignore[call-overload]
    if isinstance(counts, list):
        return _check_size(coco_mask.frPyObjects(segmentation, height, width), width, height)
    return _check_size({**segmentation}, width, height)  # type: ignore[dict-item]


def _check_size(mask: Mapping[str, Any], width: int, height: int) -> Rle:
    if list(mask["size"]) != [height, width]:
        raise ValueError(f"has a mask of {mask['size'][1]} x {mask['size'][0]} px in an image of {width} x {height} px")
    counts = mask["counts"]
    return Rle(size=[height, width], counts=counts if isinstance(counts, str) else counts.decode("ascii"))
