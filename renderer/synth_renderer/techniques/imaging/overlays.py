"""Overlays on a picture: the instrument's info bar, a scale bar, a panel letter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.randomness.streams import Stream

    Strokes = NDArray[np.float32]
    ConditionsWriter = Callable[[Sequence[float]], tuple[str, ...]]
    """Four numbers in [0, 1) -> conditions."""

FONT_FACES: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
FACE_HEIGHT: Final = 21.0
"""Height of a capital of any of these faces at font scale 1, px."""
STROKE_WEIGHTS: Final = (0.08, 0.24)
"""Thinnest and boldest stroke over the height of a capital."""
DESCENT: Final = 0.4
"""Extent of letters and brackets below the base line, over the height of a capital."""
SUPERSAMPLING: Final = 4
"""Text is drawn at this scale and averaged: anti-aliasing in whole numbers, the same bits everywhere."""
MAX_TEXT_WIDTH: Final = 0.5
"""Share of an info bar's width that its text may take."""
MIN_CAPITAL_PIXELS: Final = 7.0
"""Smallest capitals of a scale bar outside an info bar."""
MIN_TEXT_PIXELS: Final = 3
"""Text with lower capitals is left out."""
UNITS: Final = ((1e6, "mm"), (1e3, "um"), (1.0, "nm"))
"""Nanometres of each unit of the scale bar."""
LETTERS: Final = "abcdefgh"
PANEL_FORMATS: Final = ("({})", "{}", "{})")
BAR_THICKNESS: Final = (0.12, 0.6)
"""Thinnest and thickest scale bar over the height of its capitals."""
TICKS: Final = 11
"""Strokes of a scale bar in the form of a row of ticks."""


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


@dataclass(frozen=True)
class Overlay:
    """Bars, boxes and letters over a picture (H, W)."""

    strokes: Strokes
    """Share of each pixel under strokes, (H, W) float32, 0 … 1."""
    covered: NDArray[np.bool_]
    """Pixels under a box or the info bar, (H, W)."""
    shade: float
    """Grey of the strokes; boxes and bar have 1 - shade."""

    def draw_on(self, grey: NDArray[np.float32]) -> None:
        """Draw on a picture (H, W) float32, 0 … 1, in place."""
        grey[self.covered] = 1.0 - self.shade
        grey += self.strokes * (np.float32(self.shade) - grey)


def draw_overlay(
    features: Mapping[str, FeatureValue],
    shape: tuple[int, int],
    pixel_size: float,
    stream: Stream,
    write_conditions: ConditionsWriter,
) -> Overlay | None:
    """Return info bar, scale bar and panel letter of a picture of `shape` (H, W); None where there is none of them.

    `pixel_size` in scene units; `write_conditions` returns the text of an info bar. Corners, letter, lettering and
    that text are drawn from the stream, always 13 draws, so that each keeps its draw when another part is switched off.
    """
    info_bar, scale_bar, letter = (_number(features, name) for name in ("info_bar", "scale_bar", "panel_letter"))
    draws = [stream.draw_uniform() for _ in range(13)]
    if not features["overlays"] or not (info_bar or scale_bar or letter):
        return None
    canvas = _Canvas(shape, _choose_lettering(draws), boxed=bool(features["overlay_box"]))
    bar_rows = round(info_bar * shape[0])
    if bar_rows:
        _draw_info_bar(
            canvas, bar_rows, _choose_conditions(write_conditions, draws), int(_number(features, "info_bar_rows"))
        )
    if scale_bar:
        bar = _ScaleBar(
            longest=scale_bar * shape[1],
            nanometres_per_pixel=_number(features, "nanometres_per_unit") * pixel_size,
            capitals=max(_number(features, "scale_bar_text") * shape[0], MIN_CAPITAL_PIXELS),
            thickness=_interpolate(*BAR_THICKNESS, draws[11]),
            form=str(features["scale_bar_form"]),
            label=str(features["scale_bar_label"]),
        )
        bar.draw(canvas, bar_rows, is_left=draws[5] < 0.5)
    if letter:
        text = LETTERS[int(draws[6] * len(LETTERS))]
        text = text.upper() if draws[12] < 0.25 else text
        _draw_letter(canvas, PANEL_FORMATS[int(draws[7] * len(PANEL_FORMATS))].format(text), letter * shape[0])
    return Overlay(canvas.strokes, canvas.covered, _number(features, "overlay_shade"))


def choose_round_length(longest: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is at most `longest` > 0."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9))


def format_length(nanometres: float) -> str:
    """Return a length with its unit, `500 nm` or `2 um`."""
    scale, unit = next((scale, unit) for scale, unit in UNITS if nanometres >= scale or unit == "nm")
    return f"{nanometres / scale:g} {unit}"


def _number(features: Mapping[str, FeatureValue], name: str) -> float:
    value = features[name]
    assert isinstance(value, int | float)
    return float(value)


def _choose_lettering(draws: list[float]) -> Lettering:
    return Lettering(FONT_FACES[int(draws[8] * len(FONT_FACES))], _interpolate(*STROKE_WEIGHTS, draws[9]))


def _interpolate(low: float, high: float, draw: float) -> float:
    return low + draw * (high - low)


def _choose_conditions(write_conditions: ConditionsWriter, draws: list[float]) -> tuple[str, ...]:
    """Return the first two to four of the conditions in an info bar, which say nothing about the picture."""
    return write_conditions(draws[:4])[: 2 + int(draws[10] * 3)]


@dataclass
class _Canvas:
    """Strokes and covered pixels (H, W) during drawing."""

    shape: tuple[int, int]
    lettering: Lettering
    boxed: bool

    def __post_init__(self) -> None:
        self.strokes = np.zeros(self.shape, dtype=np.float32)
        self.covered = np.zeros(self.shape, dtype=bool)

    def write_text(self, text: str, capitals: float, place: tuple[float, float]) -> None:
        """Write a text with capitals of `capitals` px; `place` is (column, row) of its lower left corner.

        Letters are cut off at the picture's border.
        """
        if capitals < MIN_TEXT_PIXELS:
            return
        n, face = SUPERSAMPLING, self.lettering.face
        fine = np.zeros((self.shape[0] * n, self.shape[1] * n), dtype=np.uint8)
        corner, stroke_width = (round(place[0] * n), round(place[1] * n)), self.lettering.get_stroke_width(n * capitals)
        cv2.putText(fine, text, corner, face, n * capitals / FACE_HEIGHT, (255,), stroke_width, cv2.LINE_8)
        column, row, width, height = cv2.boundingRect(fine)  # the text fills a small part of the picture
        left, top, right, bottom = column // n, row // n, -(-(column + width) // n), -(-(row + height) // n)
        ink = fine[top * n : bottom * n, left * n : right * n].reshape(bottom - top, n, right - left, n)
        shares = (ink.sum(axis=(1, 3), dtype=np.uint32) / (255.0 * n * n)).astype(np.float32)
        self.add_strokes(shares, left, top)

    def add_strokes(self, shares: Strokes, left: int, top: int) -> None:
        """Add strokes (h, w) with their upper left corner at a pixel; those beyond the picture are left out."""
        strokes = self.strokes[max(top, 0) : max(top + len(shares), 0), left : left + shares.shape[1]]
        np.maximum(strokes, shares[max(-top, 0) :][: len(strokes), : strokes.shape[1]], out=strokes)

    def cover_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Cover an opaque box, px, if the recipe asks for boxes."""
        if self.boxed:
            self.covered[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)] = True


@dataclass(frozen=True)
class _ScaleBar:
    """A bar of a round length with its length beside it; in px where the picture has no scale."""

    longest: float
    """Maximum length, px."""
    nanometres_per_pixel: float
    """0 where the picture has no scale."""
    capitals: float
    """Height of the capitals, px."""
    thickness: float
    """Over the height of the capitals."""
    form: str
    """`solid`, `ends` or `ticks`."""
    label: str
    """Place of the text: `above`, `below`, `beside` or `inside` the bar."""

    def choose_label(self) -> tuple[str, float]:
        """Return the text of the bar and the length of the bar in px."""
        if self.nanometres_per_pixel > 0:
            length = choose_round_length(self.longest * self.nanometres_per_pixel)
            return format_length(length), length / self.nanometres_per_pixel
        pixels = choose_round_length(max(self.longest, 1.0))
        return f"{pixels:g} px", pixels

    def draw(self, canvas: _Canvas, bar_rows: int, *, is_left: bool) -> None:
        """Draw the bar in a lower corner, or in the right of the info bar of `bar_rows` px if there is one."""
        height, width = canvas.shape
        text, pixels = self.choose_label()
        capitals, bottom = self.capitals, 0.97 * height
        if bar_rows:
            capitals, bottom = min(capitals, 0.35 * bar_rows), height - 0.25 * bar_rows
        bar, text_width = self._draw_bar(round(pixels), capitals), canvas.lettering.measure_width(text, capitals)
        label = "above" if self.label == "inside" and pixels < text_width + 2 * capitals else self.label
        extent = pixels + 0.5 * capitals + text_width if label == "beside" else max(pixels, text_width)
        margin = 0.4 * capitals
        half = extent / 2 + margin
        middle = 0.02 * width + half if is_left and not bar_rows else 0.98 * width - half
        rise = max(len(bar), capitals) if label in ("beside", "inside") else len(bar) + 1.4 * capitals
        below = margin if label == "above" else margin + DESCENT * capitals
        canvas.cover_box(middle - half, bottom - rise - margin, middle + half, bottom + below)
        left, base, place = middle - pixels / 2, bottom, (middle - text_width / 2, bottom)
        match label:
            case "above":
                place = place[0], bottom - len(bar) - 0.4 * capitals
            case "below":
                base -= 1.4 * capitals
            case "beside":
                left, place = middle - extent / 2, (middle + extent / 2 - text_width, bottom)
                base -= (capitals - len(bar)) / 2
            case "inside":
                bar[:, round(place[0] - margin - left) : round(place[0] + text_width + margin - left)] = 0.0
                base -= (capitals - len(bar)) / 2
        canvas.add_strokes(bar, max(round(left), 0), round(base) - len(bar))
        canvas.write_text(text, capitals, place)

    def _draw_bar(self, pixels: int, capitals: float) -> Strokes:
        """Return the strokes of a bar of `pixels` px, (H, pixels)."""
        thickness = max(2, round(self.thickness * capitals))
        if self.form == "solid":
            return np.ones((thickness, pixels), dtype=np.float32)
        height, line = max(thickness, round(0.7 * capitals)), max(1, thickness // 3)
        bar = np.zeros((height, pixels), dtype=np.float32)
        steps = 1 if self.form == "ends" else TICKS - 1
        for tick in range(steps + 1):
            column = round(tick * (pixels - line) / steps)
            bar[:, column : column + line] = 1.0
        if self.form == "ends":
            bar[(height - line) // 2 : (height - line) // 2 + line] = 1.0
        return bar


def _draw_info_bar(canvas: _Canvas, bar_rows: int, conditions: tuple[str, ...], lines: int) -> None:
    """Cover the lowest `bar_rows` px and write the conditions into the left of them, in one or two lines."""
    height, width = canvas.shape
    canvas.covered[height - bar_rows :] = True
    share = -(-len(conditions) // lines)
    texts = ["  ".join(conditions[first : first + share]) for first in range(0, len(conditions), share)]
    capitals = (0.45 if lines == 1 else 0.3) * bar_rows
    capitals *= min(1.0, *(MAX_TEXT_WIDTH * width / canvas.lettering.measure_width(text, capitals) for text in texts))
    for number, text in enumerate(reversed(texts)):
        canvas.write_text(
            text, capitals, (0.02 * width, height - (0.28 if lines == 1 else 0.14 + 0.45 * number) * bar_rows)
        )


def _draw_letter(canvas: _Canvas, text: str, capitals: float) -> None:
    """Draw a panel letter of `capitals` px in the upper left corner."""
    margin, width = 0.4 * capitals, canvas.lettering.measure_width(text, capitals)
    canvas.cover_box(0, 0, width + 2 * margin, (1 + DESCENT) * capitals + 2 * margin)
    canvas.write_text(text, capitals, (margin, margin + capitals))
