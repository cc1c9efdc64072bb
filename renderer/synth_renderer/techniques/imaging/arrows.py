"""Arrows that point at particles, as authors mark them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from synth_renderer.techniques.base.feature_values import read_number
from synth_renderer.techniques.imaging.canvas import SUPERSAMPLING, draw_strokes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.randomness.streams import Stream
    from synth_renderer.techniques.imaging.canvas import Strokes

    Vector = NDArray[np.float64]
    """Column and row, (2,)."""

TRIES: Final = 8
"""Particles that are tried for each arrow: some lie so that no arrow beside them is in the picture."""
GAPS: Final = (0.05, 0.25)
"""Least and greatest distance of the tip from the particle, over the arrow's length."""
HEADS: Final = (0.25, 0.5)
"""Shortest and longest head over the arrow's length."""
HEAD_WIDTHS: Final = (0.6, 1.0)
"""Narrowest and widest head over its length."""
SHAFTS: Final = (0.12, 0.35)
"""Thinnest and thickest shaft over the width of the head."""
BARE_SHARE: Final = 0.2
"""Share of the pictures whose arrows are heads without shafts."""


@dataclass(frozen=True)
class ArrowForm:
    """Lengths of the arrows of a picture, px."""

    length: float
    head: float
    """Length of the head."""
    half_head: float
    """Half the width of the head."""
    half_shaft: float
    """Half the width of the shaft."""
    gap: float
    """Distance of the tip from the particle."""

    def place_corners(self, tip: Vector, direction: Vector) -> Vector:
        """Return the corners (7, 2) of an arrow at `tip`; the unit vector `direction` leads from tip to tail."""
        across = np.array([-direction[1], direction[0]])
        along = np.array([0.0, *[self.head] * 2, *[self.length] * 2, *[self.head] * 2])
        aside = np.array([0.0, self.half_head, *[self.half_shaft] * 2, *[-self.half_shaft] * 2, -self.half_head])
        corners: Vector = tip + along[:, None] * direction + aside[:, None] * across
        return corners


def draw_arrows(
    features: Mapping[str, FeatureValue], ids: NDArray[np.uint16], covered: NDArray[np.bool_] | None, stream: Stream
) -> Strokes | None:
    """Return the strokes (H, W) of arrows at some of the particles of `ids` (H, W); None if there are none to draw.

    No arrow ends on `covered` pixels (H, W) or beyond the picture. Form, particles and directions are drawn from the
    stream. Only + - x / make the corners: the same bits everywhere.
    """
    number = int(read_number(features, "arrows"))
    if not features["overlays"] or not number:
        return None
    form = _choose_form(read_number(features, "arrow_length") * ids.shape[0], stream)
    blocked = np.zeros(ids.shape, dtype=bool) if covered is None else covered
    particles = np.flatnonzero(np.bincount(ids.ravel())[1:]) + 1
    arrows: list[Vector] = []
    for _ in range(min(len(particles), TRIES * number)):
        chosen = stream.draw_below(len(particles))
        corners = _point_at(ids == particles[chosen], blocked, form, stream)
        particles = np.delete(particles, chosen)
        arrows += [] if corners is None else [corners]
        if len(arrows) == number:
            break
    if not arrows:
        return None
    strokes = np.zeros(ids.shape, dtype=np.float32)
    height, width = ids.shape
    ink, left, top = draw_strokes((height, width), lambda fine: _fill_arrows(fine, arrows))
    strokes[top : top + len(ink), left : left + ink.shape[1]] = ink
    return strokes


def _fill_arrows(fine: NDArray[np.uint8], arrows: list[Vector]) -> None:
    """Fill arrows of corners (7, 2), px, in a picture SUPERSAMPLING times as large."""
    for corners in arrows:
        cv2.fillPoly(fine, [np.rint(corners * SUPERSAMPLING).astype(np.int32)], (255,))


def _choose_form(length: float, stream: Stream) -> ArrowForm:
    draws = [stream.draw_uniform() for _ in range(5)]
    gap, head, width, shaft = (
        low + draw * (high - low) for (low, high), draw in zip((GAPS, HEADS, HEAD_WIDTHS, SHAFTS), draws, strict=False)
    )
    half_head = head * width * length / 2
    if draws[4] < BARE_SHARE:
        return ArrowForm(head * length, head * length, half_head, 0.0, gap * length)
    return ArrowForm(length, head * length, half_head, max(0.5, shaft * half_head), gap * length)


def _point_at(mask: NDArray[np.bool_], blocked: NDArray[np.bool_], form: ArrowForm, stream: Stream) -> Vector | None:
    """Return the corners (7, 2) of an arrow at a particle's mask (H, W), None if there is no room for one.

    It points at the middle of the visible pixels, from one of four directions at right angles.
    """
    rows, columns = np.nonzero(mask)
    middle = np.array([columns.mean(), rows.mean()]) + 0.5
    t, quarter = stream.draw_uniform(), stream.draw_below(4)
    x, y = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    turned = ((x, y), (-y, x), (-x, -y), (y, -x))
    for direction in np.array(turned[quarter:] + turned[:quarter]):
        tip = middle + (_find_outline(mask, middle, direction) + form.gap) * direction
        corners = form.place_corners(tip, direction)
        if all(_is_free(blocked, corner) for corner in corners):
            return corners
    return None


def _find_outline(mask: NDArray[np.bool_], middle: Vector, direction: Vector) -> float:
    """Return how far a mask (H, W) extends from `middle` along a unit vector, px; 0 if the ray does not meet it."""
    steps = np.arange(sum(mask.shape), dtype=np.float64)
    columns, rows = np.floor(middle + steps[:, None] * direction).astype(np.int64).T
    inside = (columns >= 0) & (columns < mask.shape[1]) & (rows >= 0) & (rows < mask.shape[0])
    met = np.flatnonzero(mask[rows[inside], columns[inside]])
    return float(met[-1] + 1) if len(met) else 0.0


def _is_free(blocked: NDArray[np.bool_], point: Vector) -> bool:
    height, width = blocked.shape
    column, row = np.floor(point).astype(np.int64)
    return bool(0 <= column < width and 0 <= row < height and not blocked[row, column])
