"""Predictions that are scored: detections of each image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.documents.rle import Rle
    from synth_dataset.scoring.truth import TrueImage


@dataclass(frozen=True)
class Detection:
    """Particle that a model predicts in an image."""

    category: int
    """Place in the classes of the truth."""
    score: float
    mask: Rle | None
    """None of a box alone."""
    box: tuple[float, float, float, float]
    """Left, top, width, height, px."""
    area: float
    """Of the mask, or of the box without one, px."""


class Predictions(ABC):
    """Detections of a model by image."""

    has_masks: bool
    """False if some detections are boxes alone."""

    @abstractmethod
    def read(self, image: TrueImage, *, boxes: bool) -> Sequence[Detection]:
        """Return the detections of an image, with boxes instead of masks if wanted. Raises InputError."""


def detect_mask(category: int, score: float, mask: Rle) -> Detection:
    """Return a detection with the box and the area of its mask."""
    left, top, width, height = coco_mask.toBbox(mask).tolist()
    return Detection(category, score, mask, (left, top, width, height), float(coco_mask.area(mask)))
