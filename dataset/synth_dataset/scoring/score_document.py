"""Scores as a document: what `synth score -o json` prints."""

from __future__ import annotations

from typing import Any

from synth_dataset.documents.document import Document


class SizeError(Document):
    """Equivalent diameters of matched detections minus those of their particles."""

    matched: int
    bias: float | None
    """Mean, px; null without a match."""
    deviation: float | None
    """Standard deviation, px."""
    bias_length: float | None
    """Mean in `ScoreDocument.length_unit`; null if no image has a pixel size."""
    deviation_length: float | None


class GroupScore(Document):
    """Score of all images, or of those with one value of an axis. Null where nothing is there to score."""

    value: Any = None
    images: int
    particles: int
    """Particles that count; ignored ones do not."""
    predicted: int
    """Detections of at least the minimum score that lie on no ignored particle."""
    ap: float | None
    """Average precision over IoU thresholds from 0.50 to 0.95, as COCO defines it."""
    ap50: float | None
    ap75: float | None
    pq: float | None
    """Panoptic quality."""
    sq: float | None
    rq: float | None
    count_bias: float | None
    """Mean over the images of predicted minus true particles."""
    count_error: float | None
    """Mean over the images of the absolute difference."""
    count_relative: float | None
    """Predicted minus true particles of all images together, as a share of the true ones."""
    size: SizeError


class SizeBinScore(Document):
    """Score of the particles of one bin of size; others are ignored."""

    low: float
    """Equivalent diameter of the area, px."""
    high: float | None
    """Null of the last bin."""
    particles: int
    recall: float | None
    """Share of the particles that have a match."""
    ap: float | None
    ap50: float | None
    ap75: float | None
    size: SizeError


class ScoreDocument(Document):
    """Scores of predictions on a dataset."""

    predictions: str
    dataset: str
    overlap: str
    """`masks` or `boxes`."""
    classes: tuple[str, ...]
    max_detections: int
    """The last of COCO's `maxDets`: the largest number of particles in an image."""
    min_score: float
    length_unit: str
    """`nm` or `scene units`."""
    all: GroupScore
    by: str | None
    groups: tuple[GroupScore, ...]
    sizes: tuple[SizeBinScore, ...]
