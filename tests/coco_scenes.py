"""Random truth and predictions in COCO's format: discs of two classes, found, missed, displaced and invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIZE = 96
CATEGORIES = [{"id": 3, "name": "ball"}, {"id": 8, "name": "rod"}]


def draw_disc(x: float, y: float, radius: float) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.asfortranarray((np.hypot(columns - x, rows - y) <= radius).astype(np.uint8))


def encode(inside: NDArray[np.uint8]) -> dict[str, Any]:
    mask = coco_mask.encode(inside)
    return {"size": mask["size"], "counts": mask["counts"].decode("ascii")}


def annotate(number: int, image: int, category: int, inside: NDArray[np.uint8], crowd: bool) -> dict[str, Any]:
    mask = encode(inside)
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": mask,
        "area": int(coco_mask.area(mask)),
        "bbox": coco_mask.toBbox(mask).tolist(),
        "iscrowd": int(crowd),
    }


def make_scene(seed: int, images: int = 5, crowds: float = 0.15) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A document and results on it; scores have ties."""
    rng = np.random.default_rng(seed)
    notes: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in range(10, 10 + images):
        for _ in range(rng.integers(0, 14)):
            x, y, radius = [*rng.uniform(0, SIZE, 2).tolist(), rng.uniform(2, 14)]
            category = int(rng.choice([3, 8]))
            inside = draw_disc(x, y, radius)
            if not inside.any():
                continue
            notes.append(annotate(len(notes) + 1, image, category, inside, rng.random() < crowds))
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                moved = draw_disc(*(np.array([x, y, radius]) + rng.normal(0, 0.9, 3)).clip(1))
                results.append(detect(image, category if rng.random() < 0.9 else 3, moved, rng))
        results += [detect(image, 8, draw_disc(*rng.uniform(5, 60, 2), 6), rng) for _ in range(rng.integers(0, 3))]
    document = {
        "images": [{"id": image, "width": SIZE, "height": SIZE, "pixel_size": 0.5} for image in range(10, 10 + images)],
        "annotations": notes,
        "categories": CATEGORIES,
    }
    return document, [result for result in results if coco_mask.area(result["segmentation"])]


def detect(image: int, category: int, inside: NDArray[np.uint8], rng: np.random.Generator) -> dict[str, Any]:
    score = round(float(rng.random()), 1)
    return {"image_id": image, "category_id": category, "score": score, "segmentation": encode(inside)}


def evaluate(
    document: dict[str, Any], results: list[dict[str, Any]], kind: str, max_detections: int, ranges: list[list[float]]
) -> NDArray[np.float64]:
    """What pycocotools says: precision (thresholds, recalls, classes, ranges); -1 where no particle counts."""
    truth = COCO()
    truth.dataset = json.loads(json.dumps(document))
    truth.createIndex()
    scores = COCOeval(truth, truth.loadRes(json.loads(json.dumps(results))), kind)
    scores.params.maxDets = [1, 10, max_detections]
    scores.params.areaRng = ranges
    scores.params.areaRngLbl = [str(place) for place in range(len(ranges))]
    scores.evaluate()
    scores.accumulate()
    precision: NDArray[np.float64] = scores.eval["precision"][..., -1]
    return precision


def average(precision: NDArray[np.float64]) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if len(known) else None


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path
