"""A frame around a region of a picture, and an enlarged copy of the region in a corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.techniques.base.feature_values import read_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.randomness.streams import Stream
    from synth_renderer.techniques.imaging.canvas import Canvas, Strokes

LINE_WIDTHS: Final = (0.002, 0.006)
"""Thinnest and thickest line over the picture's shorter side; a line has at least 1 px."""
MIN_ASPECT: Final = 0.6
"""Least ratio of the sides of a frame."""
DASH: Final = 6
"""Length of a dash and of the gap after it, over the width of the line."""
MIN_FRAME_PIXELS: Final = 4
"""Shortest side of a frame."""
TRIES: Final = 8
"""Places that are tried for a frame that lies on no lettering."""


@dataclass(frozen=True)
class Inset:
    """An enlarged copy of a region of the picture: rows and columns of the region and of the copy."""

    region: tuple[slice, slice]
    place: tuple[slice, slice]

    def draw_on(self, grey: NDArray[np.float32]) -> None:
        """Write the copy into a picture (H, W), in place; grey between pixels is linear in both axes."""
        copy = grey[self.region]
        for axis, extent in enumerate(self.place):
            size = copy.shape[axis]
            at = np.clip(
                (np.arange(extent.stop - extent.start) + 0.5) * size / (extent.stop - extent.start) - 0.5, 0, size - 1
            )
            first = np.minimum(at.astype(np.int64), size - 2)
            share = np.expand_dims((at - first).astype(np.float32), 1 - axis)
            low, high = np.take(copy, first, axis), np.take(copy, first + 1, axis)
            copy = low + share * (high - low)
        grey[self.place] = copy


def draw_inset_frame(features: Mapping[str, FeatureValue], canvas: Canvas, rows: int, stream: Stream) -> Inset | None:
    """Draw the frame, if there is one, into the upper `rows` px of the picture, and return its inset, if there is one.

    A frame that finds no place beside the lettering is left out. The inset lies in the upper corner on the other side
    of the picture: the bounds of both features leave the frame beside it. Width of the line, sides and place of the
    frame are drawn from the stream.
    """
    longest = read_number(features, "inset_frame")
    if not longest:
        return None
    shorter, width = min(canvas.shape), canvas.shape[1]
    low, high = LINE_WIDTHS
    line = max(1, round(shorter * (low + stream.draw_uniform() * (high - low))))
    aspect, is_upright = MIN_ASPECT + (1.0 - MIN_ASPECT) * stream.draw_uniform(), stream.draw_uniform() < 0.5
    sides = [max(MIN_FRAME_PIXELS, round(longest * shorter * factor)) for factor in (1.0, aspect)]
    frame_rows, frame_columns = sides if is_upright else sides[::-1]
    for _ in range(TRIES):
        left, top = (int(stream.draw_uniform() * (room + 1)) for room in (width - frame_columns, rows - frame_rows))
        region = slice(top, top + frame_rows), slice(left, left + frame_columns)
        if not (canvas.strokes[region].any() or canvas.boxes[region].any()):
            break
    else:
        return None
    is_dashed = features["inset_frame_form"] == "dashed"
    canvas.add_strokes(_draw_frame((frame_rows, frame_columns), line, is_dashed=is_dashed), left, top)
    scale = read_number(features, "inset") * shorter / sides[0]
    inset_rows, inset_columns = round(scale * frame_rows), round(scale * frame_columns)
    if not inset_rows or not inset_columns:
        return None
    inset_left = width - inset_columns if 2 * left + frame_columns <= width else 0
    canvas.add_strokes(_draw_frame((inset_rows, inset_columns), line, is_dashed=False), inset_left, 0)
    return Inset(region, (slice(0, inset_rows), slice(inset_left, inset_left + inset_columns)))


def _draw_frame(shape: tuple[int, int], line: int, *, is_dashed: bool) -> Strokes:
    """Return a rectangle of `shape` (H, W) whose border is `line` px wide."""
    frame = np.ones(shape, dtype=np.float32)
    if is_dashed:
        down, along = (np.arange(extent) // (DASH * line) % 2 == 0 for extent in shape)
        frame[:] = along
        frame[:, :line] = frame[:, -line:] = down[:, None]
    frame[line:-line, line:-line] = 0.0
    return frame
