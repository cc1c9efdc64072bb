"""Omissions from the labels: pixels under an info bar or a box, and particles that are mostly hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.fragments import Fragments, VisibleSurface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.masks import Masks
    from synth_renderer.labels.modes import LabelView


def remove_covered_fragments(fragments: Fragments, covered: NDArray[np.bool_]) -> Fragments:
    """Return the fragments outside the pixels `covered` (H, W) bool, as if the picture ended there."""
    kept = ~covered.ravel()[fragments.pixel]
    before = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
    return replace(
        fragments,
        start=before[fragments.start],
        pixel=fragments.pixel[kept],
        depth=fragments.depth[kept],
        normal=fragments.normal[kept],
    )


def find_labelled_bodies(visible: Masks, amodal: Masks, min_visible_fraction: float) -> NDArray[np.bool_]:
    """Return True for bodies (N,) whose visible mask is at least this fraction of the amodal one, and not empty."""
    area = visible.count_pixels()
    return np.asarray((area > 0) & (area >= min_visible_fraction * amodal.count_pixels()))


def keep_labelled_bodies(view: LabelView, labelled: NDArray[np.bool_]) -> LabelView:
    """Return the view with all bodies but the `labelled` (N,) bool as background; they still hide what is behind."""
    if labelled.all():
        return view
    shown = np.concatenate(([False], labelled))[view.surface.ids]
    return replace(
        view,
        of_interest=view.of_interest & labelled,
        overlapping=view.overlapping & labelled,
        surface=VisibleSurface(
            np.where(shown, view.surface.ids, np.uint16(0)),
            np.where(shown, view.surface.depth, np.float32(np.inf)),
            np.where(shown[..., None], view.surface.normal, np.float32(0)),
        ),
    )
