"""COCO's average precision, accumulated image by image: some 30 bytes of each detection stay in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.scoring.matching import match_detections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_dataset.scoring.matching import Overlaps
    from synth_dataset.scoring.predictions import Detection
    from synth_dataset.scoring.truth import TrueParticle

THRESHOLDS: Final = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""COCO's IoU thresholds."""
_RECALLS: Final = np.linspace(0.0, 1.0, 101)
_BITS: Final = 1 << np.arange(len(THRESHOLDS), dtype=np.uint16)


@dataclass(frozen=True)
class Precision:
    """Average precision over COCO's thresholds, at 0.5 and at 0.75; None where no particle counts."""

    all: float | None
    at_50: float | None
    at_75: float | None


@dataclass(frozen=True)
class AreaRange:
    """Particles with an area from `low` to `high`, px; others are ignored."""

    low: float
    high: float

    def contains(self, area: float) -> bool:
        """Return True for an area in the range, its ends included."""
        return self.low <= area <= self.high


@dataclass
class _Part:
    """Detections of one class in one image, in the order of their scores."""

    category: int
    group: int
    scores: NDArray[np.float64]
    hits: NDArray[np.uint16]
    """Bits of the thresholds at which a detection has a particle, (ranges, detections)."""
    ignored: NDArray[np.uint16]
    """Bits of the thresholds at which a detection counts neither way, (ranges, detections)."""


@dataclass
class PrecisionTotals:
    """Matches of all images so far."""

    ranges: Sequence[AreaRange]
    parts: list[_Part] = field(default_factory=list)
    counted: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    """Particles that count, by place of the range, class and group of images."""

    def add(
        self,
        category: int,
        group: int,
        detections: Sequence[Detection],
        particles: Sequence[TrueParticle],
        overlaps: Overlaps,
    ) -> None:
        """Add the detections and particles of one class in one image; detections are in the order of their scores."""
        crowds = [particle.is_ignored for particle in particles]
        shape = len(self.ranges), len(detections)
        hits, ignored = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
        for place, area_range in enumerate(self.ranges):
            beyond = [particle.is_ignored or not area_range.contains(particle.area) for particle in particles]
            self.counted[place, category, group] += beyond.count(False)
            matches = match_detections(overlaps, THRESHOLDS, crowds, beyond)
            is_hit = matches >= 0
            is_beyond = np.array([*beyond, False])[matches]  # place -1, no particle, is the last one
            is_outside = np.array([not area_range.contains(one.area) for one in detections], np.bool_)
            hits[place] = _BITS @ is_hit
            ignored[place] = _BITS @ (is_beyond | (~is_hit & is_outside))
        scores = np.array([one.score for one in detections], np.float64)
        self.parts.append(_Part(category, group, scores, hits, ignored))

    def compute(self, area_range: int = 0, group: int | None = None) -> Precision:
        """Return the precision in one range of areas, of one group of images or of all."""
        counted: Counter[int] = Counter()
        for (place, category, its_group), number in self.counted.items():
            if place == area_range and group in (None, its_group):
                counted[category] += number
        curves = [
            self._compute_class(category, area_range, group, number) for category, number in counted.items() if number
        ]
        if not curves:
            return Precision(None, None, None)
        table = np.stack(curves)  # (classes, thresholds)
        return Precision(float(table.mean()), float(table[:, 0].mean()), float(table[:, 5].mean()))

    def _compute_class(self, category: int, area_range: int, group: int | None, counted: int) -> NDArray[np.float64]:
        """Return the precision of a class at each threshold, (thresholds,)."""
        parts = [part for part in self.parts if part.category == category and group in (None, part.group)]
        if not parts:
            return np.zeros(len(THRESHOLDS))
        order = np.argsort(-np.concatenate([part.scores for part in parts]), kind="stable")
        hits = np.concatenate([part.hits[area_range] for part in parts])[order]
        ignored = np.concatenate([part.ignored[area_range] for part in parts])[order]
        return np.array([_average(hits & bit > 0, ignored & bit > 0, counted) for bit in _BITS])


def _average(hits: NDArray[np.bool_], ignored: NDArray[np.bool_], counted: int) -> float:
    """Return the mean of the precision at 101 recalls, as `accumulate` of pycocotools; a perfect one is exactly 1."""
    found = np.cumsum(hits & ~ignored)
    wrong = np.cumsum(~hits & ~ignored)
    precision = found / np.maximum(found + wrong, 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(found / counted, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())
