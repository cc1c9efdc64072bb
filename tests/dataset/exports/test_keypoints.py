"""Keypoints of fibres in COCO's format: of the dataset and of exports, as pycocotools evaluates them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disc_datasets import FIBRE, DiscSweep, render_discs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.documents.keypoints import KEYPOINTS
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.views.dataset_views import COCO as COCO_FILE

NAMES = [str(number) for number in range(1, KEYPOINTS + 1)]


@pytest.fixture
def fibres(tmp_path: Path) -> DatasetSource:
    """Runs of 24 particles, every other one a fibre."""
    return render_discs(FolderStore(tmp_path / "fibres"), DiscSweep(numbers=(24,), particle_blueprints=("Bead", FIBRE)))


def truth_of(source: DatasetSource) -> dict[int, dict[int, Any]]:
    """Run -> particle id -> centre line in `annotations.json`."""
    found = {}
    for row in source.iterate_rows(["run", "key"]):
        manifest = source.store.read_manifest(row["key"])
        path = f"runs/{row['key'][:2]}/{row['key']}/{manifest.c8}/annotations.json"
        notes = json.loads(source.store.read(path))["particles"]
        found[row["run"]] = {note["id"]: note["centre_line"] for note in notes if "centre_line" in note}
    return found


@pytest.fixture(params=["dataset", "export"])
def coco(request: pytest.FixtureRequest, fibres: DatasetSource, export: Any) -> COCO:
    if request.param == "export":
        return COCO(str(export(fibres) / "annotations/instances_train.json"))
    return COCO(str(Path(fibres.store.location) / fibres.dataset.folder / COCO_FILE))


def test_the_category_of_fibres_names_its_keypoints(coco: COCO) -> None:
    bead, fibre = coco.dataset["categories"]
    assert "keypoints" not in bead
    assert fibre["keypoints"] == NAMES
    assert fibre["skeleton"] == [[number, number + 1] for number in range(1, KEYPOINTS)]


def test_annotations_have_the_centre_line_with_pixels_from_0(coco: COCO, fibres: DatasetSource) -> None:
    truth = truth_of(fibres)
    assert sum(map(len, truth.values())) > 10
    for note in coco.loadAnns(coco.getAnnIds()):
        line = truth[note["image_id"]].get(note["particle_id"])
        if line is None:
            assert "keypoints" not in note
            continue
        points = np.array(note["keypoints"]).reshape(KEYPOINTS, 3)
        np.testing.assert_allclose(points[:, :2], np.array(line["points"])[:, :2] - 0.5)
        assert points[:, 2].tolist() == [2] * (KEYPOINTS - 1) + [1]
        assert (note["num_keypoints"], note["fiberwidth"], note["fiberlength"]) == (40, line["width"], line["length"])


def evaluate(coco: COCO, *, shift: float) -> float:
    """COCO's AP of keypoints that are `shift` px away from the true ones."""
    (category,) = coco.getCatIds(catNms=[FIBRE])
    predictions = [
        {
            "image_id": note["image_id"],
            "category_id": category,
            "score": 1.0,
            "keypoints": [value + shift * (place % 3 == 0) for place, value in enumerate(note["keypoints"])],
        }
        for note in coco.loadAnns(coco.getAnnIds(catIds=[category]))
    ]
    evaluation = COCOeval(coco, coco.loadRes(predictions), "keypoints")
    evaluation.params.kpt_oks_sigmas = np.full(KEYPOINTS, 0.05)
    evaluation.params.catIds = [category]
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.evaluate()
    evaluation.accumulate()
    return float(evaluation.eval["precision"].mean())


def test_pycocotools_evaluates_the_keypoints(coco: COCO) -> None:
    assert evaluate(coco, shift=0.0) > 0.99
    assert evaluate(coco, shift=20.0) < 0.1


def test_a_fibre_without_a_centre_line_in_the_picture_has_no_keypoints(fibres: DatasetSource, export: Any) -> None:
    """One class of beads and fibres: beads have none, and pycocotools ignores them."""
    coco = COCO(str(export(fibres, classes="one") / "annotations/instances_train.json"))
    (category,) = coco.dataset["categories"]
    assert category["keypoints"] == NAMES
    counts = [note["num_keypoints"] for note in coco.loadAnns(coco.getAnnIds())]
    assert set(counts) == {0, KEYPOINTS}
    without = next(note for note in coco.loadAnns(coco.getAnnIds()) if note["num_keypoints"] == 0)
    assert without["keypoints"] == [0] * 3 * KEYPOINTS
    assert "fiberwidth" not in without


def test_datasets_without_fibres_are_as_before(discs: DatasetSource, export: Any) -> None:
    document = json.loads((export(discs) / "annotations/instances_train.json").read_text())
    assert all("keypoints" not in entry for entry in document["categories"] + document["annotations"])
    assert b'"fibres"' not in discs.dataset.to_json()
