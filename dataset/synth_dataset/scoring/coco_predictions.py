"""Predictions as COCO's results: a list of boxes or masks with image, category and score."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from synth_api.errors import InputError, suggest_name
from synth_dataset.scoring.coco_segmentation import leave_out_agglomerates, to_rle
from synth_dataset.scoring.predictions import Detection, Predictions, detect_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from synth_dataset.scoring.truth import TrueImage, Truth


class CocoPredictions(Predictions):
    """Results of a file. Each is checked against the truth before any is scored."""

    def __init__(self, path: Path, truth: Truth) -> None:
        """Read the results. Raises InputError that names a wrong one by its place in the list."""
        self._path = path
        results, categories = _read_results(path)
        self._places = _place_categories(path, truth, categories)
        self._by_image: defaultdict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        known = set(truth.image_ids.tolist())
        for number, result in enumerate(results):
            problem = self._find_problem(result, known, truth)
            if problem:
                raise InputError(str(path), f"result {number} {problem}")
            self._by_image[result["image_id"]].append((number, result))
        self.has_masks = all("segmentation" in result for result in results)

    def _find_problem(self, result: Any, images: set[int], truth: Truth) -> str | None:
        """Return what is wrong with a result, as the end of a sentence."""
        if not isinstance(result, dict):
            return "is no object; a result has image_id, category_id, score, and bbox or segmentation"
        for name in ("image_id", "category_id", "score"):
            if not isinstance(result.get(name), int | float):
                return f"has no number as {name}; a result has image_id, category_id, score, and bbox or segmentation"
        if not math.isfinite(result["score"]):
            return f"has the score {result['score']}; it must be a finite number"
        if not ("bbox" in result or "segmentation" in result):
            return "has neither bbox nor segmentation"
        if (image := result["image_id"]) not in images:
            some = f"its ids are run numbers such as {min(images)} and {max(images)}" if images else "it has none"
            return f"has image_id {image!r}, which {truth.name} does not have; {some}"
        if (category := result["category_id"]) not in self._places:
            ids = ", ".join(f"{number} {truth.classes[place]}" for number, place in self._places.items())
            return f"has category_id {category!r}, which {truth.name} does not have; it has {ids or 'none'}"
        return None

    @override
    def read(self, image: TrueImage, *, boxes: bool) -> list[Detection]:
        found = []
        for number, result in self._by_image.get(image.id, ()):
            try:
                found.append(self._build_detection(result, image, boxes=boxes))
            except (KeyError, TypeError, ValueError, IndexError) as error:
                what = error if isinstance(error, ValueError) else "has a bbox or segmentation that is none of COCO's"
                raise InputError(str(self._path), f"result {number} of image {image.id} {what}") from error
        return found

    def _build_detection(self, result: Mapping[str, Any], image: TrueImage, *, boxes: bool) -> Detection:
        category, score = self._places[result["category_id"]], float(result["score"])
        if boxes and "bbox" in result:
            left, top, width, height = map(float, result["bbox"])
            return Detection(category, score, None, (left, top, width, height), width * height)
        return detect_mask(category, score, to_rle(result["segmentation"], image.width, image.height))


def _read_results(path: Path) -> tuple[list[Any], list[Any]]:
    """Return the results, and the categories if the file is a whole document. Raises InputError."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not JSON ({error}); give COCO's results, or a folder of masks") from error
    results = document.get("annotations") if isinstance(document, dict) else document
    categories = document.get("categories", []) if isinstance(document, dict) else []
    if not isinstance(results, list) or not isinstance(categories, list):
        raise InputError(str(path), "is no list of results; give COCO's results, or a document with `annotations`")
    for number, category in enumerate(categories):
        if not (isinstance(category, dict) and {"id", "name"} <= category.keys()):
            raise InputError(str(path), f"category {number} is no object with id and name, as COCO's are")
    return leave_out_agglomerates(results, categories)


def _place_categories(path: Path, truth: Truth, categories: Sequence[Any]) -> dict[int, int]:
    """Return the place of the class of each category id: by name if the predictions name theirs, else by id.

    Raises InputError for a name that the truth does not have.
    """
    if not categories:
        return dict(truth.category_places)
    if truth.has_one_class:
        return {category["id"]: 0 for category in categories}
    places = {name: place for place, name in enumerate(truth.classes)}
    for category in categories:
        if category["name"] not in places:
            known = suggest_name(category["name"], places)
            raise InputError(
                str(path), f"has the category '{category['name']}', which {truth.name} does not have; {known}"
            )
    return {category["id"]: places[category["name"]] for category in categories}
