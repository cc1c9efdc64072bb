"""Scores of predictions: images stream by, totals stay."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from synth_api.canonical_json import canonical_json
from synth_dataset.scoring.average_precision import AreaRange, PrecisionTotals
from synth_dataset.scoring.matching import compute_overlaps
from synth_dataset.scoring.score_document import GroupScore, ScoreDocument, SizeBinScore, SizeError
from synth_dataset.scoring.segment_totals import SegmentTotals, SizeErrors, match_segments
from synth_dataset.scoring.truth import MAX_AREA
from synth_dataset.statistics.run_table import sort_key
from synth_dataset.views.progress import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from synth_dataset.scoring.average_precision import Precision
    from synth_dataset.scoring.predictions import Detection, Predictions
    from synth_dataset.scoring.segment_totals import SegmentMatches
    from synth_dataset.scoring.truth import TrueImage, TrueParticle, Truth


@dataclass
class _Group:
    """Totals of the images with one value of the axis."""

    value: Any
    number: int
    segments: SegmentTotals = field(default_factory=SegmentTotals)
    sizes: SizeErrors = field(default_factory=SizeErrors)


class _Scorer:
    """Totals of the images so far."""

    def __init__(self, truth: Truth, min_score: float, *, boxes: bool) -> None:
        self.max_detections = max(truth.max_particles, 1)
        self.min_score = min_score
        self.boxes = boxes
        edges = truth.compute_size_edges()
        self.bins = [(AreaRange(*ends), SizeErrors()) for ends in pairwise(edges)]
        self.precision = PrecisionTotals([AreaRange(0.0, MAX_AREA), *(area_range for area_range, _ in self.bins)])
        self.everything = _Group(None, -1)
        self.groups: dict[bytes, _Group] = {}

    def add(self, image: TrueImage, detections: Iterable[Detection]) -> None:
        """Add an image with its detections."""
        group = self.groups.setdefault(canonical_json(image.value), _Group(image.value, len(self.groups)))
        particles, found = _sort_by_class(image.particles), _sort_by_class(detections)
        all_matches = {
            category: self._match_class(group.number, category, particles[category], found[category])
            for category in sorted({*particles, *found})
        }
        true = sum(len(matches.true_areas) for matches in all_matches.values())
        predicted = sum(len(matches.overlaps) + matches.wrong for matches in all_matches.values())
        for one in (self.everything, group):
            one.segments.add_counts(true, predicted)
            for category, matches in all_matches.items():
                one.segments.add(category, matches)
                one.sizes.add(matches, image.pixel_size)
        for area_range, errors in self.bins:
            for matches in all_matches.values():
                errors.add(matches.select(area_range), image.pixel_size)

    def _match_class(
        self, group: int, category: int, particles: list[TrueParticle], detections: list[Detection]
    ) -> SegmentMatches:
        """Match the detections of one class in one image; COCO counts as many of the best as there may be particles."""
        ordered = sorted(detections, key=lambda one: -one.score)
        overlaps = compute_overlaps(ordered, particles, boxes=self.boxes)
        end = self.max_detections
        self.precision.add(category, group, ordered[:end], particles, overlaps[:end])
        kept = sum(one.score >= self.min_score for one in ordered)
        return match_segments(ordered[:kept], particles, overlaps[:kept], boxes=self.boxes)


_Thing = TypeVar("_Thing", "TrueParticle", "Detection")


def _sort_by_class(things: Iterable[_Thing]) -> defaultdict[int, list[_Thing]]:
    found: defaultdict[int, list[_Thing]] = defaultdict(list)
    for thing in things:
        found[thing.category].append(thing)
    return found


def score_predictions(
    predictions: Predictions,
    truth: Truth,
    *,
    name: str,
    boxes: bool,
    min_score: float,
    advance: Callable[[int], None] = ignore_progress,
) -> ScoreDocument:
    """Return the scores of predictions, by masks or by boxes.

    Average precision counts all detections, the other measures those of at least `min_score`. `advance` gets the number
    of images that are done. Raises InputError for predictions that do not fit, DocumentError for a damaged dataset.
    """
    scorer = _Scorer(truth, min_score, boxes=boxes)
    for image in truth.iterate_images():
        scorer.add(image, predictions.read(image, boxes=boxes))
        advance(1)
    unit, scale = ("nm", truth.scale) if truth.scale else ("scene units", 1.0)
    groups = sorted(scorer.groups.values(), key=lambda group: sort_key(group.value)) if truth.by else []
    return ScoreDocument(
        predictions=name,
        dataset=truth.name,
        overlap="boxes" if boxes else "masks",
        classes=truth.classes,
        max_detections=scorer.max_detections,
        min_score=min_score,
        length_unit=unit,
        all=_describe_group(scorer.everything, scorer.precision.compute(), scale),
        by=truth.by,
        groups=tuple(_describe_group(group, scorer.precision.compute(0, group.number), scale) for group in groups),
        sizes=tuple(_describe_bins(scorer, scale)),
    )


def _describe_group(group: _Group, precision: Precision, scale: float) -> GroupScore:
    segments = group.segments
    pq, sq, rq = segments.compute_quality()
    has_images = segments.counts.count > 0
    return GroupScore(
        value=group.value,
        images=segments.counts.count,
        particles=segments.true,
        predicted=segments.predicted,
        ap=precision.all,
        ap50=precision.at_50,
        ap75=precision.at_75,
        pq=pq,
        sq=sq,
        rq=rq,
        count_bias=segments.counts.mean if has_images else None,
        count_error=segments.absolute.mean if has_images else None,
        count_relative=(segments.predicted - segments.true) / segments.true if segments.true else None,
        size=_describe_size(group.sizes, scale),
    )


def _describe_bins(scorer: _Scorer, scale: float) -> Iterator[SizeBinScore]:
    """Yield the scores of the bins of size; one bin alone is everything."""
    for place, (area_range, errors) in enumerate(scorer.bins, start=1):
        precision = scorer.precision.compute(place)
        size = _describe_size(errors, scale)
        yield SizeBinScore(
            low=math.sqrt(area_range.low * 4 / math.pi),
            high=None if area_range.high == MAX_AREA else math.sqrt(area_range.high * 4 / math.pi),
            particles=errors.particles,
            recall=size.matched / errors.particles if errors.particles else None,
            ap=precision.all,
            ap50=precision.at_50,
            ap75=precision.at_75,
            size=size,
        )


def _describe_size(errors: SizeErrors, scale: float) -> SizeError:
    pixels, lengths = errors.pixels, errors.lengths
    return SizeError(
        matched=pixels.count,
        bias=pixels.mean if pixels.count else None,
        deviation=pixels.deviation if pixels.count else None,
        bias_length=lengths.mean * scale if lengths.count else None,
        deviation_length=lengths.deviation * scale if lengths.count else None,
    )
