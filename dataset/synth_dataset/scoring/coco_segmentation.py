"""Masks as COCO writes them: polygons, run lengths and compressed run lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pycocotools import mask as coco_mask

from synth_dataset.documents.rle import Rle, check_run_lengths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MAX_COORDINATE: Final = 65536
"""Largest coordinate of a polygon in px, beyond any picture."""


def leave_out_agglomerates(
    notes: Sequence[Any], categories: Sequence[Mapping[str, Any]]
) -> tuple[list[Any], list[Mapping[str, Any]]]:
    """Return annotations and categories of a document without those of agglomerates: scores count particles."""
    left_out = [category["id"] for category in categories if category.get("agglomerates")]
    kept = [note for note in notes if not (isinstance(note, dict) and note.get("category_id") in left_out)]
    return kept, [category for category in categories if category["id"] not in left_out]


def to_rle(segmentation: Sequence[Any] | Mapping[str, Any], width: int, height: int) -> Rle:
    """Return a segmentation of an image as compressed run lengths.

    Raises ValueError for one that is none, or one of an image of another size.
    """
    if isinstance(segmentation, list):
        for polygon in segmentation:
            _check_polygon(polygon)
        parts = coco_mask.frPyObjects(segmentation, height, width)
        return _check_size(coco_mask.merge(parts), width, height)
    counts = segmentation["counts"]  # type: ignore[call-overload]
    if isinstance(counts, list):
        _check_lengths(counts, width * height)
        return _check_size(coco_mask.frPyObjects(segmentation, height, width), width, height)
    return _check_size({**segmentation}, width, height)  # type: ignore[dict-item]


def _check_polygon(polygon: Any) -> None:
    """Raise ValueError for a polygon that pycocotools cannot read: it does not end for NaN and huge coordinates."""
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise ValueError("has a polygon that is no list x, y, x, y … of at least three corners")
    if not all(isinstance(place, int | float) and abs(place) <= _MAX_COORDINATE for place in polygon):
        raise ValueError(
            f"has a polygon with a coordinate that is no number from -{_MAX_COORDINATE} to {_MAX_COORDINATE}"
        )


def _check_size(mask: Mapping[str, Any], width: int, height: int) -> Rle:
    if list(mask["size"]) != [height, width]:
        raise ValueError(f"has a mask of {mask['size'][1]} x {mask['size'][0]} px in an image of {width} x {height} px")
    counts = mask["counts"]
    text = counts if isinstance(counts, str) else counts.decode("ascii")
    check_run_lengths(text, width * height)
    return Rle(size=[height, width], counts=text)


def _check_lengths(lengths: Sequence[Any], pixels: int) -> None:
    """Raise ValueError unless run lengths cover a picture of so many pixels."""
    if not all(isinstance(length, int) and length >= 0 for length in lengths) or sum(lengths) != pixels:
        raise ValueError(f"has run lengths that are not those of {pixels:,} pixels")
