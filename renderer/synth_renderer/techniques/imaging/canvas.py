"""Strokes, boxes and lettering over a picture during drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Strokes = NDArray[np.float32]
    """Share of each pixel under strokes, 0 … 1."""

FACE_HEIGHT: Final = 21.0
"""Height of a capital of any of these faces at font scale 1, px."""
SUPERSAMPLING: Final = 4
"""Text and arrows are drawn at this scale and averaged: anti-aliasing in whole numbers, the same bits everywhere."""
MIN_TEXT_PIXELS: Final = 3
"""Text with lower capitals is left out."""


@dataclass(frozen=True)
class Lettering:
    """A font face and the width of its strokes."""

    face: int
    """OpenCV's number of the face."""
    weight: float
    """Width of a stroke over the height of a capital."""

    def get_stroke_width(self, height: float) -> int:
        """Return the width of a stroke of capitals that are `height` px high, px."""
        return max(1, round(height * self.weight))

    def measure_width(self, text: str, height: float) -> float:
        """Return the width of a text whose capitals are `height` px high, px."""
        (width, _), _ = cv2.getTextSize(text, self.face, height / FACE_HEIGHT, self.get_stroke_width(height))
        return float(width)


@dataclass
class Canvas:
    """Strokes and pixels under boxes, (H, W), during drawing."""

    shape: tuple[int, int]
    lettering: Lettering
    boxed: bool

    def __post_init__(self) -> None:
        self.strokes = np.zeros(self.shape, dtype=np.float32)
        self.boxes = np.zeros(self.shape, dtype=bool)

    def write_text(self, text: str, capitals: float, place: tuple[float, float]) -> None:
        """Write a text with capitals of `capitals` px; `place` is (column, row) of its lower left corner.

        Letters are cut off at the picture's border.
        """
        if capitals < MIN_TEXT_PIXELS:
            return
        scale = SUPERSAMPLING * capitals
        corner = round(place[0] * SUPERSAMPLING), round(place[1] * SUPERSAMPLING)
        face, width = self.lettering.face, self.lettering.get_stroke_width(scale)
        self.add_strokes(
            *draw_strokes(
                self.shape,
                lambda fine: cv2.putText(fine, text, corner, face, scale / FACE_HEIGHT, (255,), width, cv2.LINE_8),
            )
        )

    def add_strokes(self, shares: Strokes, left: int, top: int) -> None:
        """Add strokes (h, w) with their upper left corner at a pixel; those beyond the picture are left out."""
        strokes = self.strokes[max(top, 0) : max(top + len(shares), 0), left : left + shares.shape[1]]
        np.maximum(strokes, shares[max(-top, 0) :][: len(strokes), : strokes.shape[1]], out=strokes)

    def cover_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Cover an opaque box, px, if the recipe asks for boxes."""
        if self.boxed:
            self.boxes[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)] = True


def draw_strokes(shape: tuple[int, int], draw: Callable[[NDArray[np.uint8]], object]) -> tuple[Strokes, int, int]:
    """Return what `draw` paints in white, strokes (h, w), and the column and row of their upper left corner.

    `draw` gets a black picture SUPERSAMPLING times as large as one of `shape` (H, W), and paints it in place.
    """
    n = SUPERSAMPLING
    fine = np.zeros((shape[0] * n, shape[1] * n), dtype=np.uint8)
    draw(fine)
    column, row, width, height = cv2.boundingRect(fine)  # strokes fill a small part of the picture
    left, top, right, bottom = column // n, row // n, -(-(column + width) // n), -(-(row + height) // n)
    ink = fine[top * n : bottom * n, left * n : right * n].reshape(bottom - top, n, right - left, n)
    return (ink.sum(axis=(1, 3), dtype=np.uint32) / (255.0 * n * n)).astype(np.float32), left, top


def shade_strokes(grey: NDArray[np.float32], strokes: Strokes, shade: float) -> None:
    """Draw strokes (H, W) of the grey `shade` on a picture (H, W), 0 … 1, in place."""
    grey += strokes * (np.float32(shade) - grey)
