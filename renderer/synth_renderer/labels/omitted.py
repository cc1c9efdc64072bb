"""What no label shows: pixels under an info bar or a box, and particles of which too little can be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.labels.fragments import Fragments, VisibleSurface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.labels.modes import LabelView


def uncovered(fragments: Fragments, covered: NDArray[np.bool_]) -> Fragments:
    """The fragments outside the pixels `covered` (H, W), as if the picture did not reach there."""
    kept = ~covered.ravel()[fragments.pixel]
    before = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
    return replace(
        fragments,
        start=before[fragments.start],
        pixel=fragments.pixel[kept],
        depth=fragments.depth[kept],
        normal=fragments.normal[kept],
    )


def seen_enough(fragments: Fragments, surface: VisibleSurface, least: float) -> NDArray[np.bool_]:
    """Bodies (N,) that show at least the fraction `least` of their silhouette, and a pixel; `surface` shows all."""
    amodal = np.diff(fragments.start)
    visible = np.bincount(surface.ids.ravel(), minlength=len(amodal) + 1)[1:]
    return np.asarray((visible > 0) & (visible >= least * amodal))


def labelled_only(view: LabelView, labelled: NDArray[np.bool_]) -> LabelView:
    """The view with all but the bodies `labelled` (N,) as background; what those hide stays hidden."""
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
