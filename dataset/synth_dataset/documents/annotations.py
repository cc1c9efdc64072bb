"""`annotations.json`: the masks of a run's visible particles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.remedies import REMOVE_FILE
from synth_dataset.documents.rle import encode_mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class CentreLineNote:
    """The longest part of a fibre's centre line in the picture, px, pixel centres at .5."""

    points: tuple[tuple[float, float, int], ...]
    """Column, row and visibility (1 hidden, 2 visible) of points at equal distances, see `keypoints`."""
    width: float
    """Mean width of the whole fibre."""
    length: float
    """Of this part."""


@dataclass(frozen=True)
class Annotation:
    """Visible particle: masks as ascending flat pixel indices (P,); box left, top, right, bottom in px."""

    id: int
    blueprint: str
    visible: NDArray[np.int32]
    amodal: NDArray[np.int32]
    box: tuple[int, int, int, int]
    """Right and bottom are exclusive."""
    occluded_by: tuple[int, ...]
    """Ids of the particles that hide a part of it."""
    overlaps: tuple[int, ...] | None = None
    """Ids of the particles that share pixels with it; None unless particles shine through."""
    agglomerate: int | None = None
    """Number of its agglomerate, from 1; None if it is in none."""
    centre_line: CentreLineNote | None = None
    """None for a particle that is no fibre, and for one whose centre line lies outside the picture."""


def build_annotations(annotations: Iterable[Annotation], width: int, height: int) -> dict[str, Any]:
    """Return the JSON document: sizes in px, masks as COCO compressed RLE, boxes as left, top, width, height."""
    return {
        "width": width,
        "height": height,
        "particles": [_build_particle(annotation, width, height) for annotation in annotations],
    }


def parse_annotations(content: bytes, path: object, remedy: str = REMOVE_FILE) -> dict[str, Any]:
    """Return the JSON document. Raises DocumentError that names the file `path` and what helps."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path}: is not JSON; {remedy}") from error
    if not isinstance(document, dict) or not isinstance(document.get("particles"), list):
        raise DocumentError(f"{path}: has no particles; {remedy}")
    return document


def _build_particle(annotation: Annotation, width: int, height: int) -> dict[str, Any]:
    left, top, right, bottom = annotation.box
    return {
        "id": annotation.id,
        "category": annotation.blueprint,
        "bbox": [left, top, right - left, bottom - top],
        "area": len(annotation.visible),
        "amodal_area": len(annotation.amodal),
        "visible_fraction": len(annotation.visible) / len(annotation.amodal),
        "occluded_by": list(annotation.occluded_by),
        **({} if annotation.overlaps is None else {"overlaps": list(annotation.overlaps)}),
        "visible": encode_mask(annotation.visible, width, height),
        "amodal": encode_mask(annotation.amodal, width, height),
        **({} if annotation.agglomerate is None else {"agglomerate": annotation.agglomerate}),
        **({} if annotation.centre_line is None else {"centre_line": _build_centre_line(annotation.centre_line)}),
    }


def _build_centre_line(line: CentreLineNote) -> dict[str, Any]:
    return {"points": [list(point) for point in line.points], "width": line.width, "length": line.length}
