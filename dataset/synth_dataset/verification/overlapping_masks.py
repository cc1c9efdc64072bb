"""Masks of particles that shine through: `instances.png` has the nearest, annotations and table have them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synth_dataset.documents.layout import ANNOTATIONS, PARTICLES
from synth_dataset.documents.rle import decode_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.verification.label_files import RunLabels

    Difference = tuple[str, int, str, str]
    """File, particle, what is expected and what is found."""


def compare_overlapping_masks(labels: RunLabels) -> Iterator[Difference]:
    """Yield where masks, table and picture of a run with overlapping masks do not fit each other."""
    masks = {note["id"]: decode_mask(note["visible"]) for note in labels.notes}
    for note in labels.notes:
        yield from _compare_note(note, masks[note["id"]], labels)
    overlaps = _find_overlaps(masks)
    for note in labels.notes:
        expected = overlaps.get(note["id"], [])
        if note.get("overlaps") != expected:
            yield ANNOTATIONS, note["id"], f"overlaps {expected}", str(note.get("overlaps"))
    yield from _compare_rows(labels, masks)


def _compare_note(note: Mapping[str, Any], pixels: NDArray[np.int32], labels: RunLabels) -> Iterator[Difference]:
    rows, columns = np.divmod(pixels, labels.size[0])
    if note["area"] != len(pixels):
        yield ANNOTATIONS, note["id"], f"area {len(pixels):,}", f"{note['area']:,}"
    if len(pixels):
        left, top = int(columns.min()), int(rows.min())
        box = [left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        if note["bbox"] != box:
            yield ANNOTATIONS, note["id"], f"bbox {box}", str(note["bbox"])
    if note["amodal"] != note["visible"]:
        yield ANNOTATIONS, note["id"], "amodal equal to visible", "another mask"
    outside = len(np.setdiff1d(labels.pixels.get(note["id"], pixels[:0]), pixels, assume_unique=True))
    if outside:
        yield ANNOTATIONS, note["id"], "a mask with all its pixels", f"{outside:,} lie outside"


def _find_overlaps(masks: Mapping[int, NDArray[np.int32]]) -> dict[int, list[int]]:
    """Return for each particle the ascending ids of those that share a pixel with it."""
    pixel = np.concatenate([*masks.values(), np.empty(0, np.int32)])
    owner = np.repeat(np.array([*masks], np.int64), [len(each) for each in masks.values()])
    order = np.lexsort((owner, pixel))
    pixel, owner = pixel[order], owner[order]
    pairs = [np.empty((0, 2), np.int64)]
    for step in range(1, len(masks)):
        is_shared = pixel[step:] == pixel[:-step]
        if not is_shared.any():
            break
        pairs.append(np.unique(np.stack((owner[:-step][is_shared], owner[step:][is_shared]), axis=1), axis=0))
    found: dict[int, set[int]] = {}
    for one, two in np.concatenate(pairs).tolist():
        found.setdefault(one, set()).add(two)
        found.setdefault(two, set()).add(one)
    return {particle: sorted(others) for particle, others in found.items()}


def _compare_rows(labels: RunLabels, masks: Mapping[int, NDArray[np.int32]]) -> Iterator[Difference]:
    """Yield where a row of the table differs from the mask of its particle, or from its pixels in the picture."""
    columns = (labels.table[name].to_pylist() for name in ("id", "visible_px", "nearest_px"))
    for number, visible, nearest, is_labelled in zip(*columns, labels.is_labelled, strict=True):
        pixels, shown = len(masks.get(number, ())), len(labels.pixels.get(number, ()))
        if is_labelled and visible != pixels:
            yield PARTICLES, number, f"visible_px {pixels:,}", f"{visible:,}"
        if is_labelled and nearest != shown:
            yield PARTICLES, number, f"nearest_px {shown:,}", f"{nearest:,}"
