"""Omissions from the labels: pixels under an info bar or a box, and particles that are mostly hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.fragments import Fragments, VisibleSurface

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def find_labelled_bodies(
    fragments: Fragments, surface: VisibleSurface, min_visible_fraction: float
) -> NDArray[np.bool_]:
    """Return True for bodies (N,) that show at least this fraction of their silhouette, and a pixel.

    `surface` is that of all bodies.
    """
    amodal = np.diff(fragments.start)
    visible = np.bincount(surface.ids.ravel(), minlength=len(amodal) + 1)[1:]
    return np.asarray((visible > 0) & (visible >= min_visible_fraction * amodal))


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
