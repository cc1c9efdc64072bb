"""What the instrument and the author of a figure write over a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes import FeatureValue
    from synth_renderer.randomness.streams import Stream

    Strokes = NDArray[np.float32]

FACES: Final = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
FACE_HEIGHT: Final = 21.0
"""Of a capital of any of them at font scale 1, px."""
WEIGHTS: Final = (0.08, 0.24)
"""Thinnest and boldest stroke over the height of a capital."""
DESCENT: Final = 0.4
"""How far letters and brackets reach below the line, over the height of a capital."""
FINE: Final = 4
"""Text is drawn so many times as large and averaged: anti-aliasing by whole numbers only."""
WORDS: Final = 0.5
"""Share of an info bar's width that its words may take."""
UNITS: Final = ((1e6, "mm"), (1e3, "um"), (1.0, "nm"))
LETTERS: Final = "abcdefgh"
PANEL: Final = ("({})", "{}", "{})")
"""How a panel is named."""
BAR: Final = (0.12, 0.6)
"""Thinnest and thickest scale bar over the height of the capitals above it."""


@dataclass(frozen=True)
class Lettering:
    """A face and the width of its strokes over the height of its capitals."""

    face: int
    weight: float

    def line(self, height: float) -> int:
        """Width of a stroke of capitals of a height, both in px."""
        return max(1, round(height * self.weight))

    def width(self, text: str, height: float) -> float:
        """Width of a text whose capitals are `height` px."""
        (width, _), _ = cv2.getTextSize(text, self.face, height / FACE_HEIGHT, self.line(height))
        return float(width)


@dataclass(frozen=True)
class Overlay:
    """strokes (H, W) float32: share of each pixel under thin strokes; covered (H, W) bool: under a box or bar.

    `shade` is the grey of strokes; boxes and bar have 1 - shade.
    """

    strokes: Strokes
    covered: NDArray[np.bool_]
    shade: float

    def write_over(self, grey: NDArray[np.float32]) -> None:
        """Draw on a picture (H, W), 0 … 1, in place."""
        grey[self.covered] = 1.0 - self.shade
        grey += self.strokes * (np.float32(self.shade) - grey)


def overlay(
    features: Mapping[str, FeatureValue], shape: tuple[int, int], pixel_size: float, stream: Stream
) -> Overlay | None:
    """Info bar, scale bar and panel letter of a picture (H, W), None where there is none of them.

    pixel_size in scene units; corners, letter, lettering and the words in the bar come from the stream.
    """
    info_bar, scale_bar, letter = (_number(features, name) for name in ("info_bar", "scale_bar", "panel_letter"))
    draws = [stream.uniform() for _ in range(13)]
    if not features["overlays"] or not (info_bar or scale_bar or letter):
        return None
    paper = _Paper(shape, _lettering(draws), boxed=bool(features["overlay_box"]))
    bar_rows = round(info_bar * shape[0])
    if bar_rows:
        paper.covered[shape[0] - bar_rows :] = True
        words = _conditions(draws)
        letters = 0.45 * bar_rows * min(1.0, WORDS * shape[1] / paper.lettering.width(words, 0.45 * bar_rows))
        paper.write(words, letters, (0.02 * shape[1], shape[0] - 0.28 * bar_rows))
    if scale_bar:
        nanometres = _number(features, "nanometres_per_unit") * pixel_size
        capitals = max(_number(features, "scale_bar_text") * shape[0], 7.0)
        bar = _ScaleBar(scale_bar * shape[1], nanometres, capitals, _between(*BAR, draws[11]))
        bar.draw(paper, bar_rows, is_left=draws[5] < 0.5)
    if letter:
        text = LETTERS[int(draws[6] * len(LETTERS))]
        text = text.upper() if draws[12] < 0.25 else text
        _draw_letter(paper, PANEL[int(draws[7] * len(PANEL))].format(text), letter * shape[0])
    return Overlay(paper.strokes, paper.covered, _number(features, "overlay_shade"))


def round_length(longest: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `longest` > 0."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9))


def length_text(nanometres: float) -> str:
    """A length with its unit, `500 nm` or `2 um`."""
    scale, unit = next((scale, unit) for scale, unit in UNITS if nanometres >= scale or unit == "nm")
    return f"{nanometres / scale:g} {unit}"


def _number(features: Mapping[str, FeatureValue], name: str) -> float:
    value = features[name]
    assert isinstance(value, int | float)
    return float(value)


def _lettering(draws: list[float]) -> Lettering:
    return Lettering(FACES[int(draws[8] * len(FACES))], _between(*WEIGHTS, draws[9]))


def _between(low: float, high: float, draw: float) -> float:
    return low + draw * (high - low)


def _conditions(draws: list[float]) -> str:
    """What an info bar says of the instrument, drawn: nobody measures by it."""
    words = (
        f"{1 + int(draws[0] * 29)} kV",
        f"WD {2 + draws[1] * 10:.1f} mm",
        ("SE", "SE2", "InLens")[int(draws[2] * 3)],
        f"x{10 ** (2 + 3 * draws[3]):,.0f}",
    )
    return "  ".join(words[: 2 + int(draws[10] * 3)])


@dataclass
class _Paper:
    """Strokes and covered pixels while they are drawn."""

    shape: tuple[int, int]
    lettering: Lettering
    boxed: bool

    def __post_init__(self) -> None:
        self.strokes = np.zeros(self.shape, dtype=np.float32)
        self.covered = np.zeros(self.shape, dtype=bool)

    def write(self, text: str, height: float, place: tuple[float, float]) -> None:
        """Text whose capitals are `height` px, from (column, row) of its lower left corner, cut at the border."""
        if height < 3:
            return
        face, scale, line = self.lettering.face, FINE * height / FACE_HEIGHT, self.lettering.line(FINE * height)
        canvas = np.zeros((self.shape[0] * FINE, self.shape[1] * FINE), dtype=np.uint8)
        corner = round(place[0] * FINE), round(place[1] * FINE)
        cv2.putText(canvas, text, corner, face, scale, (255,), line, cv2.LINE_8)
        column, row, width, height = cv2.boundingRect(canvas)  # of few pixels of many
        left, top, right, bottom = column // FINE, row // FINE, -(-(column + width) // FINE), -(-(row + height) // FINE)
        inked = canvas[top * FINE : bottom * FINE, left * FINE : right * FINE]
        drawn = inked.reshape(bottom - top, FINE, right - left, FINE).sum(axis=(1, 3), dtype=np.uint32)
        under = self.strokes[top:bottom, left:right]
        np.maximum(under, (drawn / (255.0 * FINE * FINE)).astype(np.float32), out=under)

    def box(self, left: float, top: float, right: float, bottom: float) -> None:
        """An opaque box, where the recipe wants boxes."""
        if self.boxed:
            self.covered[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)] = True


@dataclass(frozen=True)
class _ScaleBar:
    """A bar of a round length, at most `longest` px, its length above it; in px where the picture has no scale."""

    longest: float
    nanometres_per_pixel: float
    capitals: float
    thickness: float
    """Over the height of the capitals."""

    def label(self) -> tuple[str, float]:
        """What stands above the bar, and how many px it is long."""
        if self.nanometres_per_pixel > 0:
            length = round_length(self.longest * self.nanometres_per_pixel)
            return length_text(length), length / self.nanometres_per_pixel
        pixels = round_length(max(self.longest, 1.0))
        return f"{pixels:g} px", pixels

    def draw(self, paper: _Paper, bar_rows: int, *, is_left: bool) -> None:
        """In a lower corner; in the info bar, where there is one."""
        height, width = paper.shape
        text, pixels = self.label()
        capitals, bottom = self.capitals, 0.97 * height
        if bar_rows:
            capitals, bottom = min(capitals, 0.35 * bar_rows), height - 0.25 * bar_rows
        thickness, margin = max(2, round(self.thickness * capitals)), 0.4 * capitals
        text_width = paper.lettering.width(text, capitals)
        half = max(pixels, text_width) / 2 + margin
        middle = 0.02 * width + half if is_left and not bar_rows else 0.98 * width - half
        paper.box(middle - half, bottom - thickness - 1.4 * capitals - margin, middle + half, bottom + margin)
        left = max(round(middle - pixels / 2), 0)
        paper.strokes[round(bottom) - thickness : round(bottom), left : left + round(pixels)] = 1.0
        paper.write(text, capitals, (middle - text_width / 2, bottom - thickness - 0.4 * capitals))


def _draw_letter(paper: _Paper, text: str, letters: float) -> None:
    """A panel letter in the upper left corner."""
    margin = 0.4 * letters
    paper.box(0, 0, paper.lettering.width(text, letters) + 2 * margin, (1 + DESCENT) * letters + 2 * margin)
    paper.write(text, letters, (margin, margin + letters))
