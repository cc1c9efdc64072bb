"""Keypoints of fibres: points along the part of a centre line that a picture shows, as COCO and FibeR-CNN read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dataset.documents.attempt_document import Category

KEYPOINTS: Final = 40
"""Keypoints of a fibre, as many as FibeR-CNN predicts (M. Frei and F. E. Kruis, Powder Technology 377, 2021)."""
HIDDEN, VISIBLE = 1, 2
"""Visibility of a keypoint in COCO's format; 0 is one without a place."""
DECIMALS: Final = 3
"""Decimals of coordinates, in pixels."""


def describe_keypoints(category: Category) -> dict[str, Any]:
    """Return what a COCO category has of keypoints: their names and the lines between them; nothing without fibres."""
    if not category.fibres:
        return {}
    return {
        "keypoints": [str(number) for number in range(1, KEYPOINTS + 1)],
        "skeleton": [[number, number + 1] for number in range(1, KEYPOINTS)],
    }


def list_keypoints(category: Category, centre_line: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a COCO annotation has of keypoints; all 0 for a particle whose centre line the picture lacks.

    `centre_line` is that of an annotation. COCO counts pixels from 0, so a pixel's centre is 0 there and 0.5 here.
    """
    if not category.fibres:
        return {}
    if centre_line is None:
        return {"keypoints": [0] * 3 * KEYPOINTS, "num_keypoints": 0}
    return {
        "keypoints": list(_shift_points(centre_line["points"])),
        "num_keypoints": KEYPOINTS,
        "fiberwidth": centre_line["width"],
        "fiberlength": centre_line["length"],
    }


def _shift_points(points: Iterable[Iterable[float]]) -> Iterable[float]:
    for column, row, visibility in points:
        yield round(column - 0.5, DECIMALS)
        yield round(row - 0.5, DECIMALS)
        yield visibility
