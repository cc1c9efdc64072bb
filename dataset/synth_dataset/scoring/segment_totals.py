"""Panoptic quality, errors of counts and of sizes: one match of each particle, at an overlap above one half.

Panoptic quality: Kirillov, He, Girshick, Rother, Dollár, "Panoptic Segmentation", CVPR 2019.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.scoring.matching import match_detections
from synth_dataset.statistics.value_sketch import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_dataset.scoring.average_precision import AreaRange
    from synth_dataset.scoring.matching import Overlaps
    from synth_dataset.scoring.predictions import Detection
    from synth_dataset.scoring.truth import TrueParticle

_ABOVE_HALF: Final = float(np.nextafter(0.5, 1.0))
"""More than one half of overlap: masks that do not overlap each other have one match at most."""


@dataclass(frozen=True)
class SegmentMatches:
    """Matches of one class in one image."""

    overlaps: NDArray[np.float64]
    """Of each match, (matches,)."""
    differences: NDArray[np.float64]
    """Equivalent diameter of the detection minus that of its particle, px, (matches,)."""
    areas: NDArray[np.float64]
    """Of the particle of each match, px, (matches,)."""
    true_areas: NDArray[np.float64]
    """Of all particles that count, px, (particles,)."""
    wrong: int
    """Detections without a particle."""

    def select(self, area_range: AreaRange) -> SegmentMatches:
        """Return the matches of the particles in a range of areas; no detection is wrong there."""
        chosen = (self.areas >= area_range.low) & (self.areas <= area_range.high)
        counted = (self.true_areas >= area_range.low) & (self.true_areas <= area_range.high)
        return SegmentMatches(
            self.overlaps[chosen], self.differences[chosen], self.areas[chosen], self.true_areas[counted], 0
        )


def match_segments(
    detections: Sequence[Detection], particles: Sequence[TrueParticle], overlaps: Overlaps, *, boxes: bool
) -> SegmentMatches:
    """Match the detections and particles of one class in one image; detections are in the order of their scores."""
    ignored = [particle.is_ignored for particle in particles]
    found = match_detections(overlaps, [_ABOVE_HALF], ignored, ignored)[0].tolist()
    matches = [(place, particle) for place, particle in enumerate(found) if particle >= 0 and not ignored[particle]]
    of_pair = [dict(overlaps[place])[particle] for place, particle in matches]
    predicted = _compute_diameters([detections[place] for place, _ in matches], boxes=boxes)
    true = _compute_diameters([particles[particle] for _, particle in matches], boxes=boxes)
    return SegmentMatches(
        overlaps=np.array(of_pair, np.float64),
        differences=predicted - true,
        areas=np.array([particles[particle].area for _, particle in matches], np.float64),
        true_areas=np.array([one.area for one in particles if not one.is_ignored], np.float64),
        wrong=found.count(-1),
    )


def _compute_diameters(things: Sequence[Detection] | Sequence[TrueParticle], *, boxes: bool) -> NDArray[np.float64]:
    """Return the diameters of discs of the areas of masks, or of the ellipses in boxes, px."""
    areas = [thing.box[2] * thing.box[3] if boxes else thing.area * 4 / math.pi for thing in things]
    return np.array(areas, np.float64) ** 0.5


@dataclass
class SizeErrors:
    """Errors of equivalent diameters of some particles."""

    pixels: Moments = field(default_factory=Moments)
    lengths: Moments = field(default_factory=Moments)
    """In scene units; none of images without a pixel size."""
    particles: int = 0
    """Particles that count, matched or not."""

    def add(self, matches: SegmentMatches, pixel_size: float | None) -> None:
        """Add the particles of one class in one image."""
        self.particles += len(matches.true_areas)
        self.pixels.add(matches.differences)
        if pixel_size is not None:
            self.lengths.add(matches.differences * pixel_size)


@dataclass
class _ClassTotals:
    matched: int = 0
    wrong: int = 0
    missed: int = 0
    overlap: float = 0.0
    """Sum of the overlaps of the matches."""


@dataclass
class SegmentTotals:
    """Matches and numbers of particles of some images."""

    classes: defaultdict[int, _ClassTotals] = field(default_factory=lambda: defaultdict(_ClassTotals))
    counts: Moments = field(default_factory=Moments)
    """Predicted minus true particles of each image."""
    absolute: Moments = field(default_factory=Moments)
    true: int = 0
    predicted: int = 0

    def add(self, category: int, matches: SegmentMatches) -> None:
        """Add the matches of one class in one image."""
        found = self.classes[category]
        found.matched += len(matches.overlaps)
        found.wrong += matches.wrong
        found.missed += len(matches.true_areas) - len(matches.overlaps)
        found.overlap += float(matches.overlaps.sum())

    def add_counts(self, true: int, predicted: int) -> None:
        """Add the numbers of particles of an image."""
        self.true += true
        self.predicted += predicted
        self.counts.add(np.array([predicted - true], np.float64))
        self.absolute.add(np.array([abs(predicted - true)], np.float64))

    def compute_quality(self) -> tuple[float | None, float | None, float | None]:
        """Return panoptic, segmentation and recognition quality: means over the classes; None without any particle."""
        used = [found for found in self.classes.values() if found.matched or found.wrong or found.missed]
        if not used:
            return None, None, None
        segmentation = np.array([found.overlap / max(found.matched, 1) for found in used])
        recognition = np.array([found.matched / (found.matched + (found.wrong + found.missed) / 2) for found in used])
        return float((segmentation * recognition).mean()), float(segmentation.mean()), float(recognition.mean())
