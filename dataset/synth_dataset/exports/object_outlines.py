"""Outlines of the objects of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_dataset.documents.rle import decode_mask
from synth_dataset.exports.outlines import trace_polygons

if TYPE_CHECKING:
    from synth_dataset.documents.rle import Rle
    from synth_dataset.exports.outlines import Loop
    from synth_dataset.exports.sample import Sample


def trace_objects(sample: Sample, *, amodal: bool) -> dict[int, list[Loop]]:
    """Return the polygons of all objects by particle id; masks that overlap, as amodal ones do, are traced singly."""
    if amodal or sample.masks_overlap:
        return {one.id: trace_mask(one.mask, one.box) for one in sample.objects}
    return trace_polygons(sample.instances) if sample.objects else {}


def trace_mask(mask: Rle, box: tuple[int, int, int, int]) -> list[Loop]:
    """Return the polygons of a mask in its box (left, top, width, height)."""
    left, top, width, height = box
    row, column = np.divmod(decode_mask(mask), mask["size"][1])
    inside = np.zeros((height, width), np.uint8)
    inside[row - top, column - left] = 1
    return [[(x + left, y + top) for x, y in loop] for loop in trace_polygons(inside)[1]]
