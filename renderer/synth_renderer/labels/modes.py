"""The label pictures, one function of the label pass each; `PICTURES` lists them by mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.labels import shading
from synth_renderer.labels.layers import layers
from synth_renderer.labels.visible import visible
from synth_renderer.model.palette import palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from synth_renderer.labels.fragments import Fragments, VisibleSurface

    LabelPicture = NDArray[np.uint8] | NDArray[np.uint16]

DEPTH_STEPS: Final = 65534
DEPTH_BACKGROUND: Final = 65535


@dataclass(frozen=True)
class LabelView:
    """What one rendering step shows of the label pass: bodies `of_interest` (N,) and `overlapping` (N,) ones."""

    fragments: Fragments
    of_interest: NDArray[np.bool_]
    overlapping: NDArray[np.bool_]
    surface: VisibleSurface

    @classmethod
    def of(
        cls,
        fragments: Fragments,
        of_interest: NDArray[np.bool_] | None = None,
        overlapping: NDArray[np.bool_] | None = None,
    ) -> LabelView:
        """The view of some bodies, by default of all and of none."""
        bodies = len(fragments.start) - 1
        interest = np.ones(bodies, dtype=np.bool_) if of_interest is None else of_interest
        others = np.zeros(bodies, dtype=np.bool_) if overlapping is None else overlapping
        return cls(fragments, interest, others, visible(fragments, interest | others))

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Bodies in the picture, (N,)."""
        return self.of_interest | self.overlapping


def instances(view: LabelView) -> NDArray[np.uint16]:
    """Ids (H, W), 0 is background."""
    return view.surface.ids


def categorical(view: LabelView) -> NDArray[np.uint8]:
    """Palette colours (H, W, 3) RGB; bodies that only overlap are black like the background."""
    bodies = len(view.of_interest)
    colors = np.zeros((bodies + 1, 3), dtype=np.uint8)
    colors[1:][view.of_interest] = palette(bodies)[view.of_interest]
    return np.asarray(colors[view.surface.ids])


def depth_range(fragments: Fragments) -> tuple[float, float] | None:
    """Nearest and farthest depth of all bodies, hidden ones too, scene units; None when none is in the picture."""
    depth = fragments.depth
    return (float(depth.min()), float(depth.max())) if depth.size else None


def depth_map(view: LabelView) -> NDArray[np.uint16]:
    """Depth (H, W): round(65534 (d - nearest) / (farthest - nearest)), halves up; 65535 is background.

    The range is that of all bodies, so pictures of different sets of one run compare.
    """
    near, far = depth_range(view.fragments) or (0.0, 0.0)
    scale = DEPTH_STEPS / (far - near) if far > near else 0.0
    shown = view.surface.ids > 0
    picture = np.full(shown.shape, DEPTH_BACKGROUND, dtype=np.uint16)
    picture[shown] = _rounded((view.surface.depth[shown].astype(np.float64) - near) * scale)
    return picture


def normal_map(view: LabelView) -> NDArray[np.uint16]:
    """Normals (H, W, 3) RGB = xyz of the camera frame: round(65535 (0.5 + 0.5 n)), halves up; 32768 is background."""
    return _rounded((view.surface.normal.astype(np.float64) + 1.0) * 32767.5).astype(np.uint16)


def stylized(view: LabelView) -> NDArray[np.uint8]:
    """Grey (H, W): a generic light from the upper left, bodies outlined in black, background 13."""
    grey = np.where(view.surface.ids > 0, shading.shade(view.surface.normal), float(shading.BACKGROUND))
    grey[shading.outlines(view.surface)] = 0.0
    return _rounded(grey).astype(np.uint8)


def stylized_xray(view: LabelView) -> NDArray[np.uint8]:
    """Grey (H, W): as stylized, every body half transparent, outlines of hidden bodies too."""
    grey = shading.half_transparent(view.fragments, layers(view.fragments, view.shown), view.shown)
    return _rounded(grey).astype(np.uint8)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To whole numbers, halves up."""
    return np.asarray(np.floor(values + 0.5))


PICTURES: Final[dict[str, Callable[[LabelView], LabelPicture]]] = {
    "categorical": categorical,
    "depth_map": depth_map,
    "normal_map": normal_map,
    "stylized": stylized,
    "stylized_xray": stylized_xray,
}
"""Mode name (`synth_api.modes`) -> its picture; all but `real` and `stl`, which are not made from pixels."""
