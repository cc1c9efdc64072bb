"""Matching of the detections of an image with its particles, as COCO does it, without a matrix of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Overlaps = list[tuple[tuple[int, float], ...]]
    """Of each detection the places of the particles that it overlaps by at least MIN_IOU, with the overlap."""

    from synth_dataset.scoring.predictions import Detection
    from synth_dataset.scoring.truth import TrueParticle

MIN_IOU: Final = 0.5
"""No match has less overlap: intersection over union, of ignored particles intersection over the detection."""
_PAIRS: Final = 1 << 24
"""Number of pairs whose overlaps are in memory at a time."""
_ALMOST_ONE: Final = 1 - 1e-10
"""COCO's threshold for exactly equal masks."""


def compute_overlaps(detections: Sequence[Detection], particles: Sequence[TrueParticle], *, boxes: bool) -> Overlaps:
    """Compute the overlaps of masks, or of boxes, of one image."""
    if not detections or not particles:
        return [()] * len(detections)
    crowds = [int(particle.is_ignored) for particle in particles]
    step = max(1, _PAIRS // len(particles))
    pairs: Overlaps = []
    for first in range(0, len(detections), step):
        part = detections[first : first + step]
        if boxes:
            found = coco_mask.iou(_stack_boxes(part), _stack_boxes(particles), crowds)
        else:
            found = coco_mask.iou([one.mask for one in part], [one.mask for one in particles], crowds)
        pairs += _list_pairs(found)
    return pairs


def _stack_boxes(things: Sequence[Detection] | Sequence[TrueParticle]) -> NDArray[np.float64]:
    return np.array([thing.box for thing in things], np.float64).reshape(-1, 4)


def _list_pairs(overlaps: NDArray[np.float64]) -> Overlaps:
    """Return the pairs of each row of a matrix (detections, particles) that reach MIN_IOU."""
    rows, columns = np.nonzero(overlaps >= MIN_IOU)
    found: list[list[tuple[int, float]]] = [[] for _ in range(len(overlaps))]
    for row, column, overlap in zip(rows.tolist(), columns.tolist(), overlaps[rows, columns].tolist(), strict=True):
        found[row].append((column, overlap))
    return list(map(tuple, found))


def match_detections(
    overlaps: Overlaps, thresholds: Sequence[float], crowds: Sequence[bool], ignored: Sequence[bool]
) -> NDArray[np.int64]:
    """Return the place of the particle of each detection at each threshold, -1 without one: (thresholds, detections).

    Detections are in the order of their scores. Each takes the particle of the greatest overlap that is left, one that
    counts before one that is ignored; a crowd is never taken away. This is `evaluateImg` of pycocotools.
    """
    matches = np.full((len(thresholds), len(overlaps)), -1, np.int64)
    candidates = [(place, pairs) for place, pairs in enumerate(overlaps) if pairs]
    for row, threshold in zip(matches, thresholds, strict=True):
        taken: set[int] = set()
        for place, pairs in candidates:
            found = _find_best(pairs, min(threshold, _ALMOST_ONE), taken, ignored)
            if found >= 0:
                row[place] = found
                if not crowds[found]:
                    taken.add(found)
    return matches


def _find_best(pairs: Sequence[tuple[int, float]], threshold: float, taken: set[int], ignored: Sequence[bool]) -> int:
    """Return the place of the best particle that is not taken, -1 if none reaches the threshold."""
    best = (False, threshold, -1)
    for particle, overlap in pairs:
        if overlap >= threshold and particle not in taken:
            best = max(best, (not ignored[particle], overlap, particle))
    return best[2]
