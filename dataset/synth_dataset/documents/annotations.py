"""`annotations.json`: the masks of a run's visible particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dataset.documents.rle import rle

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Annotation:
    """A visible particle: masks as ascending flat pixel indices; box left, top, right, bottom, exclusive."""

    id: int
    blueprint: str
    visible: NDArray[np.int32]
    amodal: NDArray[np.int32]
    box: tuple[int, int, int, int]
    occluded_by: tuple[int, ...]
    """Ids of particles that cover part of it."""


def annotations_document(annotations: Iterable[Annotation], width: int, height: int) -> dict[str, Any]:
    """The document: sizes in pixels, masks as COCO compressed run lengths, boxes as left, top, width, height."""
    return {"width": width, "height": height, "particles": [_particle(note, width, height) for note in annotations]}


def _particle(note: Annotation, width: int, height: int) -> dict[str, Any]:
    left, top, right, bottom = note.box
    return {
        "id": note.id,
        "category": note.blueprint,
        "bbox": [left, top, right - left, bottom - top],
        "area": len(note.visible),
        "amodal_area": len(note.amodal),
        "visible_fraction": len(note.visible) / len(note.amodal),
        "occluded_by": list(note.occluded_by),
        "visible": rle(note.visible, width, height),
        "amodal": rle(note.amodal, width, height),
    }
