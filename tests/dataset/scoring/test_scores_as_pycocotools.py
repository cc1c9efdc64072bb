"""Average precision is that of pycocotools, over all areas and in each bin of size, for masks and for boxes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from coco_scenes import average, evaluate, make_scene, write_json

from synth_dataset.scoring.coco_predictions import CocoPredictions
from synth_dataset.scoring.coco_truth import CocoTruth
from synth_dataset.scoring.dataset_truth import TruthOptions
from synth_dataset.scoring.score_predictions import score_predictions

EXACT = {"rel": 1e-9, "abs": 1e-12}


def score_scene(folder: Path, document: dict[str, Any], results: list[dict[str, Any]], *, boxes: bool = False) -> Any:
    truth = CocoTruth(write_json(folder / "instances_test.json", document), TruthOptions())
    predictions = CocoPredictions(write_json(folder / "results.json", results), truth)
    return score_predictions(predictions, truth, name="results", boxes=boxes, min_score=0.0), truth


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_that_of_pycocotools(seed: int, tmp_path: Path) -> None:
    document, results = make_scene(seed)
    score, truth = score_scene(tmp_path, document, results)
    ranges = [[0.0, 1e10], *map(list, pairwise(truth.compute_size_edges()))]
    precision = evaluate(document, results, "segm", score.max_detections, ranges)
    assert score.all.ap == pytest.approx(average(precision[..., 0]), **EXACT)
    assert score.all.ap50 == pytest.approx(average(precision[0, ..., 0]), **EXACT)
    assert score.all.ap75 == pytest.approx(average(precision[5, ..., 0]), **EXACT)
    assert len(score.sizes) == 4
    for place, size in enumerate(score.sizes, start=1):
        assert size.ap == pytest.approx(average(precision[..., place]), **EXACT)


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_of_boxes_is_that_of_pycocotools(seed: int, tmp_path: Path) -> None:
    document, results = make_scene(seed)
    score, _ = score_scene(tmp_path, document, results, boxes=True)
    precision = evaluate(document, results, "bbox", score.max_detections, [[0.0, 1e10]])
    assert score.all.ap == pytest.approx(average(precision), **EXACT)
    assert score.overlap == "boxes"


def test_detections_beyond_the_largest_number_of_particles_do_not_count(tmp_path: Path) -> None:
    document, results = make_scene(3)
    many = [{**result, "score": result["score"] / 2} for _ in range(4) for result in results] + results
    score, _ = score_scene(tmp_path, document, many)
    precision = evaluate(document, many, "segm", score.max_detections, [[0.0, 1e10]])
    assert score.all.ap == pytest.approx(average(precision), **EXACT)


@pytest.mark.parametrize("crowds", [0.0, 0.3])
def test_a_perfect_prediction_has_exactly_one_everywhere(crowds: float, tmp_path: Path) -> None:
    document, _ = make_scene(1, crowds=crowds)
    keys = ("image_id", "category_id", "segmentation")
    perfect = [{"score": 0.5, **{key: note[key] for key in keys}} for note in document["annotations"]]
    score, _ = score_scene(tmp_path, document, perfect)
    whole = score.all
    assert [whole.ap, whole.ap50, whole.ap75, whole.pq, whole.sq, whole.rq] == [1.0] * 6
    assert [whole.count_bias, whole.count_error, whole.count_relative, whole.size.bias] == [0.0] * 4
    assert all([size.ap, size.ap50, size.ap75, size.recall] == [1.0] * 4 for size in score.sizes)


def test_no_prediction_has_zero_everywhere(tmp_path: Path) -> None:
    document, _ = make_scene(1)
    score, _ = score_scene(tmp_path, document, [])
    whole = score.all
    assert [whole.ap, whole.ap50, whole.ap75, whole.pq, whole.sq, whole.rq] == [0.0] * 6
    assert (whole.count_relative, whole.predicted, whole.size.matched, whole.size.bias) == (-1.0, 0, 0, None)
    assert all([size.ap, size.recall] == [0.0, 0.0] for size in score.sizes)


def test_a_document_without_images_has_no_score(tmp_path: Path) -> None:
    score, _ = score_scene(tmp_path, {"images": [], "annotations": [], "categories": []}, [])
    assert (score.all.images, score.all.ap, score.all.pq, score.all.count_error) == (0, None, None, None)
