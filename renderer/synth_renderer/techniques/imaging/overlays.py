"""Overlays on a picture: the instrument's info bar, a scale bar, a panel letter, a frame and its inset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging.canvas import Canvas, Lettering, shade_strokes
from synth_renderer.techniques.imaging.insets import draw_inset_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.randomness.streams import Stream
    from synth_renderer.techniques.imaging.canvas import Strokes
    from synth_renderer.techniques.imaging.insets import Inset

    ConditionsWriter = Callable[[Sequence[float]], tuple[str, ...]]
    """Four numbers in [0, 1) -> conditions."""

FONT_FACES: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
STROKE_WEIGHTS: Final = (0.08, 0.24)
"""Thinnest and boldest stroke over the height of a capital."""
DESCENT: Final = 0.4
"""Extent of letters and brackets below the base line, over the height of a capital."""
MAX_TEXT_WIDTH: Final = 0.5
"""Share of an info bar's width that its text may take."""
MIN_CAPITAL_PIXELS: Final = 7.0
"""Smallest capitals of a scale bar outside an info bar."""
UNITS: Final = ((1e6, "mm"), (1e3, "um"), (1.0, "nm"))
"""Nanometres of each unit of the scale bar."""
LETTERS: Final = "abcdefgh"
PANEL_FORMATS: Final = ("({})", "{}", "{})")
BAR_THICKNESS: Final = (0.12, 0.6)
"""Thinnest and thickest scale bar over the height of its capitals."""
TICKS: Final = 11
"""Strokes of a scale bar in the form of a row of ticks."""


@dataclass(frozen=True)
class Overlay:
    """Bars, boxes, letters, a frame and an inset over a picture (H, W)."""

    strokes: Strokes
    """Share of each pixel under strokes, (H, W) float32, 0 … 1."""
    boxes: NDArray[np.bool_]
    """Pixels under a box or the info bar, (H, W)."""
    shade: float
    """Grey of the strokes; boxes and bar have 1 - shade."""
    inset: Inset | None = None

    def find_covered_pixels(self) -> NDArray[np.bool_]:
        """Return the pixels under a box, the info bar or the inset, (H, W)."""
        covered = self.boxes.copy()
        if self.inset is not None:
            covered[self.inset.place] = True
        return covered

    def draw_on(self, grey: NDArray[np.float32]) -> None:
        """Draw on a picture (H, W) float32, 0 … 1, in place."""
        if self.inset is not None:
            self.inset.draw_on(grey)
        grey[self.boxes] = 1.0 - self.shade
        shade_strokes(grey, self.strokes, self.shade)


def draw_overlay(
    features: Mapping[str, FeatureValue],
    shape: tuple[int, int],
    pixel_size: float,
    create_stream: Callable[[str], Stream],
    write_conditions: ConditionsWriter,
) -> Overlay | None:
    """Return bars, panel letter, frame and inset of a picture of `shape` (H, W); None where there is none of them.

    `pixel_size` in scene units; `write_conditions` returns the text of an info bar. Corners, letter, lettering and
    that text are drawn from the stream `overlays`, always 13 draws, so that each keeps its draw when another part is
    switched off; the frame has the stream `inset_frame`.
    """
    info_bar, scale_bar, letter = (read_number(features, name) for name in ("info_bar", "scale_bar", "panel_letter"))
    if not features["overlays"] or not (info_bar or scale_bar or letter or read_number(features, "inset_frame")):
        return None
    stream = create_stream("overlays")
    draws = [stream.draw_uniform() for _ in range(13)]
    canvas = Canvas(shape, _choose_lettering(draws), boxed=bool(features["overlay_box"]))
    bar_rows = round(info_bar * shape[0])
    if bar_rows:
        _draw_info_bar(
            canvas, bar_rows, _choose_conditions(write_conditions, draws), int(read_number(features, "info_bar_rows"))
        )
    if scale_bar:
        bar = _ScaleBar(
            longest=scale_bar * shape[1],
            nanometres_per_pixel=read_number(features, "nanometres_per_unit") * pixel_size,
            capitals=max(read_number(features, "scale_bar_text") * shape[0], MIN_CAPITAL_PIXELS),
            thickness=_interpolate(*BAR_THICKNESS, draws[11]),
            form=str(features["scale_bar_form"]),
            label=str(features["scale_bar_label"]),
        )
        bar.draw(canvas, bar_rows, is_left=draws[5] < 0.5)
    if letter:
        text = LETTERS[int(draws[6] * len(LETTERS))]
        text = text.upper() if draws[12] < 0.25 else text
        _draw_letter(canvas, PANEL_FORMATS[int(draws[7] * len(PANEL_FORMATS))].format(text), letter * shape[0])
    inset = draw_inset_frame(features, canvas, shape[0] - bar_rows, create_stream("inset_frame"))
    return Overlay(canvas.strokes, canvas.boxes, read_number(features, "overlay_shade"), inset)


def choose_round_length(longest: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is at most `longest` > 0."""
    power = 10.0 ** math.floor(math.log10(longest) + 1e-9)
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1 + 1e-9))


def format_length(nanometres: float) -> str:
    """Return a length with its unit, `500 nm` or `2 um`."""
    scale, unit = next((scale, unit) for scale, unit in UNITS if nanometres >= scale or unit == "nm")
    return f"{nanometres / scale:g} {unit}"


def _choose_lettering(draws: list[float]) -> Lettering:
    return Lettering(FONT_FACES[int(draws[8] * len(FONT_FACES))], _interpolate(*STROKE_WEIGHTS, draws[9]))


def _interpolate(low: float, high: float, draw: float) -> float:
    return low + draw * (high - low)


def _choose_conditions(write_conditions: ConditionsWriter, draws: list[float]) -> tuple[str, ...]:
    """Return the first two to four of the conditions in an info bar, which say nothing about the picture."""
    return write_conditions(draws[:4])[: 2 + int(draws[10] * 3)]


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

    def draw(self, canvas: Canvas, bar_rows: int, *, is_left: bool) -> None:
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


def _draw_info_bar(canvas: Canvas, bar_rows: int, conditions: tuple[str, ...], lines: int) -> None:
    """Cover the lowest `bar_rows` px and write the conditions into the left of them, in one or two lines."""
    height, width = canvas.shape
    canvas.boxes[height - bar_rows :] = True
    share = -(-len(conditions) // lines)
    texts = ["  ".join(conditions[first : first + share]) for first in range(0, len(conditions), share)]
    capitals = (0.45 if lines == 1 else 0.3) * bar_rows
    capitals *= min(1.0, *(MAX_TEXT_WIDTH * width / canvas.lettering.measure_width(text, capitals) for text in texts))
    for number, text in enumerate(reversed(texts)):
        canvas.write_text(
            text, capitals, (0.02 * width, height - (0.28 if lines == 1 else 0.14 + 0.45 * number) * bar_rows)
        )


def _draw_letter(canvas: Canvas, text: str, capitals: float) -> None:
    """Draw a panel letter of `capitals` px in the upper left corner."""
    margin, width = 0.4 * capitals, canvas.lettering.measure_width(text, capitals)
    canvas.cover_box(0, 0, width + 2 * margin, (1 + DESCENT) * capitals + 2 * margin)
    canvas.write_text(text, capitals, (margin, margin + capitals))
