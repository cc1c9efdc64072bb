"""Panoptic quality, errors of counts and sizes, and scores by axis value, on scenes with a known answer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_scenes import CATEGORIES, SIZE, annotate, draw_disc, encode, write_json

from synth_dataset.scoring.coco_predictions import CocoPredictions
from synth_dataset.scoring.coco_truth import CocoTruth
from synth_dataset.scoring.dataset_truth import TruthOptions
from synth_dataset.scoring.score_predictions import score_predictions

DISCS = [(20.0, 20.0, 8.0), (60.0, 20.0, 12.0), (20.0, 70.0, 6.0)]


def area(*disc: float) -> int:
    return int(draw_disc(*disc).sum())


def make_document(ignored: int | None = None, images: int = 1) -> dict[str, Any]:
    """The same three balls in each image; one may be ignored."""
    notes = [
        annotate(3 * image + place + 1, image, 3, draw_disc(*disc), place == ignored)
        for image in range(images)
        for place, disc in enumerate(DISCS)
    ]
    pictures = [
        {"id": image, "width": SIZE, "height": SIZE, "pixel_size": 0.5, "seed": image} for image in range(images)
    ]
    return {"images": pictures, "annotations": notes, "categories": CATEGORIES}


def predict(*discs: tuple[float, float, float], image: int = 0, score: float = 0.9) -> list[dict[str, Any]]:
    return [
        {"image_id": image, "category_id": 3, "score": score, "segmentation": encode(draw_disc(*disc))}
        for disc in discs
    ]


def score(folder: Path, document: dict[str, Any], results: list[dict[str, Any]], **options: Any) -> Any:
    min_score, boxes = options.pop("min_score", 0.0), options.pop("boxes", False)
    truth = CocoTruth(write_json(folder / "instances_test.json", document), TruthOptions(**options))
    predictions = CocoPredictions(write_json(folder / "results.json", results), truth)
    return score_predictions(predictions, truth, name="results", boxes=boxes, min_score=min_score)


def test_panoptic_quality_is_that_of_its_definition(tmp_path: Path) -> None:
    grown = (20.0, 20.0, 9.0)
    found = score(tmp_path, make_document(), predict(grown, DISCS[1], (80.0, 80.0, 5.0))).all
    overlap = area(*DISCS[0]) / area(*grown)
    assert found.sq == pytest.approx((overlap + 1) / 2)
    assert found.rq == pytest.approx(2 / (2 + 0.5 + 0.5))
    assert found.pq == pytest.approx(found.sq * found.rq)


def test_sizes_are_compared_in_px_and_in_scene_units(tmp_path: Path) -> None:
    found = score(tmp_path, make_document(), predict((20.0, 20.0, 9.0), DISCS[1])).all.size
    growth = math.sqrt(area(20, 20, 9) * 4 / math.pi) - math.sqrt(area(*DISCS[0]) * 4 / math.pi)
    assert (found.matched, found.bias, found.deviation) == (2, pytest.approx(growth / 2), pytest.approx(growth / 2))
    assert found.bias_length == pytest.approx(growth / 4)


def test_counts_are_compared_by_image_and_in_all(tmp_path: Path) -> None:
    results = predict(*DISCS, (80.0, 80.0, 5.0)) + predict(DISCS[0], image=1)
    found = score(tmp_path, make_document(images=2), results).all
    assert (found.count_bias, found.count_error, found.count_relative) == (-0.5, 1.5, pytest.approx(-1 / 6))


def test_detections_of_a_low_score_count_for_average_precision_alone(tmp_path: Path) -> None:
    results = predict(*DISCS) + predict((80.0, 80.0, 5.0), score=0.1)
    found = score(tmp_path, make_document(), results, min_score=0.5).all
    assert (found.predicted, found.pq, found.ap) == (3, 1.0, 1.0)


@pytest.mark.parametrize("options", [{}, {"min_area": 150}])
def test_ignored_particles_count_neither_way(tmp_path: Path, options: dict[str, int]) -> None:
    document = make_document(ignored=None if options else 2)
    for results in (predict(*DISCS), predict(*DISCS[:2])):
        found = score(tmp_path, document, results, **options).all
        assert (found.particles, found.predicted, found.ap, found.pq, found.count_error) == (2, 2, 1.0, 1.0, 0.0)


def test_each_value_of_an_axis_has_its_own_score(tmp_path: Path) -> None:
    found = score(tmp_path, make_document(images=2), predict(*DISCS, image=1), by="seed")
    assert [(group.value, group.images, group.ap, group.pq) for group in found.groups] == [(0, 1, 0, 0), (1, 1, 1, 1)]
    assert 0 < found.all.ap < 1


def test_classes_count_unless_all_are_one(tmp_path: Path) -> None:
    results = [{**result, "category_id": 8} for result in predict(*DISCS)]
    assert score(tmp_path, make_document(), results).all.ap == 0
    assert score(tmp_path, make_document(), results, one_class=True).all.ap == 1


def test_boxes_have_the_diameter_of_the_ellipse_in_them(tmp_path: Path) -> None:
    box = make_document()["annotations"][0]["bbox"]
    results = [{"image_id": 0, "category_id": 3, "score": 1.0, "bbox": [box[0], box[1], box[2] + 1, box[3]]}]
    found = score(tmp_path, make_document(), results, boxes=True).all.size
    assert found.bias == pytest.approx(np.sqrt((box[2] + 1) * box[3]) - np.sqrt(box[2] * box[3]))
