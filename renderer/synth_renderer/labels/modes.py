"""Label pictures, one function of the label pass each; `PICTURES` lists them by mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels import shading
from synth_renderer.labels.layers import sort_layers
from synth_renderer.labels.visible import find_visible_surface, put_before
from synth_renderer.model.palette import build_palette as build_palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface

    LabelPicture = NDArray[np.uint8] | NDArray[np.uint16]

DEPTH_STEPS: Final = 65534
DEPTH_BACKGROUND: Final = 65535


@dataclass(frozen=True)
class LabelView:
    """Part of the label pass that one rendering step shows."""

    fragments: Fragments
    """Fragments of all N bodies, shown or not."""
    of_interest: NDArray[np.bool_]
    """Bodies that the step labels, (N,)."""
    overlapping: NDArray[np.bool_]
    """Bodies of the overlapping set (N,), which hide the others unless bodies shine through."""
    surface: VisibleSurface
    """Nearest fragments of the bodies shown."""

    @classmethod
    def from_fragments(
        cls,
        fragments: Fragments,
        of_interest: NDArray[np.bool_] | None = None,
        overlapping: NDArray[np.bool_] | None = None,
        *,
        bodies_overlap: bool = False,
    ) -> LabelView:
        """Return the view of some bodies (N,) bool; by default all are of interest and none overlaps.

        Where bodies overlap in the picture a body that is only of the overlapping set hides none of interest.
        """
        bodies = len(fragments.start) - 1
        interest = np.ones(bodies, dtype=np.bool_) if of_interest is None else of_interest
        others = np.zeros(bodies, dtype=np.bool_) if overlapping is None else overlapping
        surface = find_visible_surface(fragments, interest | others)
        if bodies_overlap and others.any():
            surface = put_before(find_visible_surface(fragments, interest), surface)
        return cls(fragments, interest, others, surface)

    @property
    def shown_bodies(self) -> NDArray[np.bool_]:
        """True for bodies of interest and overlapping ones, (N,)."""
        return self.of_interest | self.overlapping


def draw_instances(view: LabelView) -> NDArray[np.uint16]:
    """Return ids (H, W), 0 is background."""
    return view.surface.ids


def draw_agglomerates(view: LabelView, numbers: NDArray[np.int32]) -> NDArray[np.uint16]:
    """Return the agglomerate of each pixel's body (H, W), from `numbers` (N,); 0 is background or none."""
    shown = np.zeros(len(numbers) + 1, dtype=np.uint16)
    shown[1:] = numbers
    return np.asarray(shown[view.surface.ids])


def draw_categorical(view: LabelView) -> NDArray[np.uint8]:
    """Return palette colours (H, W, 3) RGB; bodies that only overlap are black like the background."""
    bodies = len(view.of_interest)
    colors = np.zeros((bodies + 1, 3), dtype=np.uint8)
    colors[1:][view.of_interest] = build_palette(bodies)[view.of_interest]
    return np.asarray(colors[view.surface.ids])


def find_depth_range(fragments: Fragments) -> tuple[float, float] | None:
    """Return nearest and farthest depth of all fragments, hidden ones too, scene units; None if there are none."""
    depth = fragments.depth
    return (float(depth.min()), float(depth.max())) if depth.size else None


def draw_depth_map(view: LabelView) -> NDArray[np.uint16]:
    """Return depth (H, W): round(65534 (d - nearest) / (farthest - nearest)), halves up; 65535 is background.

    The range is that of all fragments of the run, whatever the step shows, so pictures of different sets compare.
    """
    near, far = find_depth_range(view.fragments) or (0.0, 0.0)
    scale = DEPTH_STEPS / (far - near) if far > near else 0.0
    shown = view.surface.ids > 0
    picture = np.full(shown.shape, DEPTH_BACKGROUND, dtype=np.uint16)
    picture[shown] = _round_half_up((view.surface.depth[shown].astype(np.float64) - near) * scale)
    return picture


def draw_normal_map(view: LabelView) -> NDArray[np.uint16]:
    """Return normals (H, W, 3), RGB = xyz of the camera frame: round(65535 (0.5 + 0.5 n)); 32768 is background."""
    return _round_half_up((view.surface.normal.astype(np.float64) + 1.0) * 32767.5).astype(np.uint16)


def draw_stylized_picture(view: LabelView) -> NDArray[np.uint8]:
    """Return grey (H, W): bodies lit from the upper left with black outlines; background 13."""
    grey = np.where(view.surface.ids > 0, shading.shade_normals(view.surface.normal), float(shading.BACKGROUND))
    grey[shading.find_outlines(view.surface)] = 0.0
    return _round_half_up(grey).astype(np.uint8)


def draw_stylized_xray(view: LabelView) -> NDArray[np.uint8]:
    """Return grey (H, W): as stylized with every body half transparent and the outlines of hidden bodies."""
    grey = shading.draw_half_transparent(
        view.fragments, sort_layers(view.fragments, view.shown_bodies), view.shown_bodies
    )
    return _round_half_up(grey).astype(np.uint8)


def _round_half_up(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole numbers, halves up."""
    return np.asarray(np.floor(values + 0.5))


PICTURES: Final[dict[str, Callable[[LabelView], LabelPicture]]] = {
    "categorical": draw_categorical,
    "depth_map": draw_depth_map,
    "normal_map": draw_normal_map,
    "stylized": draw_stylized_picture,
    "stylized_xray": draw_stylized_xray,
}
"""Mode name (`synth_api.modes`) -> function of its picture; `real` and `stl` do not come from fragments."""
