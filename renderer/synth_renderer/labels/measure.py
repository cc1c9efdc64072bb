"""Measurements of each body in the picture for the particle table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.feret import measure_feret_diameters
from synth_renderer.labels.projection import project_points, to_camera_frame
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments
    from synth_renderer.labels.masks import Masks
    from synth_renderer.model.camera import Camera


@dataclass(frozen=True)
class Measurements:
    """One entry per body, (N,), in pixels. The amodal silhouette is clipped to the picture."""

    column: NDArray[np.float64]
    """Column of the projected centre, pixel centres at .5; NaN where it is not in front of a perspective camera."""
    row: NDArray[np.float64]
    """Row of the projected centre, as `column`."""
    visible_px: NDArray[np.int64]
    """Area of the visible mask."""
    amodal_px: NDArray[np.int64]
    """Area of the amodal mask."""
    box: NDArray[np.int32]
    """Left, top, right, bottom of the visible mask (N, 4), right and bottom exclusive; 0 where visible_px is 0."""
    visible_fraction: NDArray[np.float64]
    """visible_px / amodal_px; NaN where amodal_px is 0, as in the next three."""
    equivalent_diameter: NDArray[np.float64]
    """Diameter of the disc of `amodal_px` area."""
    feret_min: NDArray[np.float64]
    """Smallest calliper distance of the amodal silhouette."""
    feret_max: NDArray[np.float64]
    """Largest calliper distance of the amodal silhouette."""
    touches_border: NDArray[np.bool_]
    """True if the amodal silhouette reaches the picture's edge; meaningless where amodal_px is 0."""

    @property
    def has_box(self) -> NDArray[np.bool_]:
        """True where `box` is not null, (N,)."""
        return self.visible_px > 0

    @property
    def has_silhouette(self) -> NDArray[np.bool_]:
        """True where the measurements of the amodal silhouette are not null, (N,)."""
        return self.amodal_px > 0


def measure_bodies(
    fragments: Fragments, visible: Masks, camera: Camera, locations: NDArray[np.float64]
) -> Measurements:
    """Measure every body; `visible` are the visible masks, `locations` (N, 3) the centres, world frame."""
    centre = project_centres(locations, camera)
    visible_px = visible.count_pixels()
    amodal_px = np.diff(fragments.start)
    area = np.where(amodal_px > 0, amodal_px, np.nan)
    feret = measure_feret_diameters(fragments.start, fragments.pixel, fragments.width)
    return Measurements(
        column=centre[:, 0],
        row=centre[:, 1],
        visible_px=visible_px,
        amodal_px=amodal_px,
        box=_find_boxes(visible.start, visible.pixel, fragments.width),
        visible_fraction=visible_px / area,
        equivalent_diameter=np.sqrt(4 / math.pi * area),
        feret_min=feret[:, 0],
        feret_max=feret[:, 1],
        touches_border=_find_border_contacts(fragments.start, fragments.pixel, fragments.width, fragments.height),
    )


def project_centres(locations: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Return column and row (N, 2) of world points (N, 3); NaN where they are not before a perspective camera."""
    points = to_camera_frame(locations, camera)
    if not camera.is_orthographic:
        points[points[:, 2] >= 0] = np.nan
    return project_points(points, camera)[:, :2]


@kernel
def _find_boxes(start: NDArray[np.int64], pixel: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """Return left, top, right, bottom of each mask (N, 4), right and bottom exclusive, 0 of an empty one."""
    box = np.zeros((len(start) - 1, 4), dtype=np.int32)
    for body in range(len(box)):
        for p in range(start[body], start[body + 1]):
            row, column = pixel[p] // width, pixel[p] % width
            if p == start[body]:
                box[body, 0], box[body, 1] = column, row
            box[body, 0] = min(box[body, 0], column)
            box[body, 2], box[body, 3] = max(box[body, 2], column + 1), row + 1
    return box


@kernel
def _find_border_contacts(
    start: NDArray[np.int64], pixel: NDArray[np.int32], width: int, height: int
) -> NDArray[np.bool_]:
    """Return True for each body (N,) with a fragment in the picture's first or last row or column."""
    touches = np.zeros(len(start) - 1, dtype=np.bool_)
    for body in range(len(touches)):
        for f in range(start[body], start[body + 1]):
            row, column = pixel[f] // width, pixel[f] % width
            if row == 0 or column == 0 or row == height - 1 or column == width - 1:
                touches[body] = True
    return touches
