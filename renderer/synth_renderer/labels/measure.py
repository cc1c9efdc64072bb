"""What the particle table says about each body in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.feret import feret_diameters
from synth_renderer.labels.projection import in_camera_frame, projected
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface
    from synth_renderer.model.camera import Camera


@dataclass(frozen=True)
class Measurements:
    """One entry per body, pixels; the amodal silhouette is clipped to the picture.

    column, row (N,) float64: projected centre, pixel centres at .5, NaN where it is not in front of a perspective
    camera. visible_px, amodal_px (N,) int64. box (N, 4) int32: left, top, right, bottom of the visible mask, right
    and bottom exclusive, all 0 where visible_px is 0. visible_fraction, equivalent_diameter, feret_min,
    feret_max (N,) float64, NaN where amodal_px is 0; touches_border (N,) bool means something where amodal_px > 0.
    """

    column: NDArray[np.float64]
    row: NDArray[np.float64]
    visible_px: NDArray[np.int64]
    amodal_px: NDArray[np.int64]
    box: NDArray[np.int32]
    visible_fraction: NDArray[np.float64]
    equivalent_diameter: NDArray[np.float64]
    feret_min: NDArray[np.float64]
    feret_max: NDArray[np.float64]
    touches_border: NDArray[np.bool_]

    @property
    def has_box(self) -> NDArray[np.bool_]:
        """Where `box` is not null, (N,)."""
        return self.visible_px > 0

    @property
    def has_silhouette(self) -> NDArray[np.bool_]:
        """Where what comes from the amodal silhouette is not null, (N,)."""
        return self.amodal_px > 0


def measure(
    fragments: Fragments, surface: VisibleSurface, camera: Camera, locations: NDArray[np.float64]
) -> Measurements:
    """Measure every body; `surface` shows all of them, `locations` (N, 3) are their centres, world frame."""
    centre = projected_centres(locations, camera)
    box, visible_px = _boxes(surface.ids, len(locations))
    amodal_px = np.diff(fragments.start)
    area = np.where(amodal_px > 0, amodal_px, np.nan)
    feret = feret_diameters(fragments.start, fragments.pixel, fragments.width)
    return Measurements(
        column=centre[:, 0],
        row=centre[:, 1],
        visible_px=visible_px,
        amodal_px=amodal_px,
        box=box,
        visible_fraction=visible_px / area,
        equivalent_diameter=np.sqrt(4 / math.pi * area),
        feret_min=feret[:, 0],
        feret_max=feret[:, 1],
        touches_border=_touching(fragments.start, fragments.pixel, fragments.width, fragments.height),
    )


def projected_centres(locations: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Column and row (N, 2) of world points (N, 3); NaN where a point is not in front of a perspective camera."""
    points = in_camera_frame(locations, camera)
    if not camera.is_orthographic:
        points[points[:, 2] >= 0] = np.nan
    return projected(points, camera)[:, :2]


@kernel
def _boxes(ids: NDArray[np.uint16], bodies: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    height, width = ids.shape
    box, count = np.zeros((bodies, 4), dtype=np.int32), np.zeros(bodies, dtype=np.int64)
    for row in range(height):
        for column in range(width):
            body = int(ids[row, column]) - 1
            if body < 0:
                continue
            if count[body] == 0:
                box[body, 0], box[body, 1] = column, row
            count[body] += 1
            box[body, 0] = min(box[body, 0], column)
            box[body, 2], box[body, 3] = max(box[body, 2], column + 1), row + 1
    return box, count


@kernel
def _touching(start: NDArray[np.int64], pixel: NDArray[np.int32], width: int, height: int) -> NDArray[np.bool_]:
    touches = np.zeros(len(start) - 1, dtype=np.bool_)
    for body in range(len(touches)):
        for f in range(start[body], start[body + 1]):
            row, column = pixel[f] // width, pixel[f] % width
            if row == 0 or column == 0 or row == height - 1 or column == width - 1:
                touches[body] = True
    return touches
