from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from synth_dataset.documents.attempt_document import Category, build_categories
from synth_dataset.documents.rle import decode_mask
from synth_dataset.views.coco import CocoRun, iterate_coco

INFO = {"description": "beads"}
CATEGORIES = build_categories(["Bead", "Flake"])


def document(runs: Iterable[CocoRun], *categories: str) -> dict[str, list]:
    return json.loads(b"".join(iterate_coco(list(runs), INFO, build_categories(categories) or CATEGORIES)))


def test_pycocotools_gives_the_instances_back(scene_of, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = {number: scene_of(number, discs=12) for number in (3, 5, 8)}
    path = tmp_path / "coco.json"
    path.write_bytes(b"".join(iterate_coco([scene.run for scene in scenes.values()], INFO, CATEGORIES)))
    coco = COCO(str(path))
    assert sorted(coco.getImgIds()) == [3, 5, 8]
    for number, scene in scenes.items():
        back = np.zeros_like(scene.ids)
        for note in coco.loadAnns(coco.getAnnIds(imgIds=number)):
            mask = coco.annToMask(note)
            assert mask.sum() == note["area"]
            back[mask > 0] = note["particle_id"]
        assert (back == scene.ids).all()


def test_an_annotation_has_occluders_and_visible_fraction(scene_of) -> None:
    scene = scene_of(1, discs=12)
    for note in document([scene.run])["annotations"]:
        amodal = np.zeros(scene.ids.size, dtype=bool)
        amodal[decode_mask(note["amodal_segmentation"])] = True
        assert (amodal.reshape(scene.ids.shape) == scene.amodal[note["particle_id"]]).all()
        assert note["amodal_area"] == amodal.sum()
        assert note["visible_fraction"] == note["area"] / note["amodal_area"]
        assert bool(note["occluded_by"]) == (note["visible_fraction"] < 1)


def test_boxes_are_left_top_width_height(scene_of) -> None:
    scene = scene_of(2, discs=5)
    for note in document([scene.run])["annotations"]:
        rows, columns = np.nonzero(scene.ids == note["particle_id"])
        left, top, width, height = note["bbox"]
        assert (left, top) == (columns.min(), rows.min())
        assert (left + width - 1, top + height - 1) == (columns.max(), rows.max())


def test_blueprints_of_one_category_have_its_id_and_supercategory(scene_of) -> None:
    scene = scene_of(1, discs=6)
    grain = Category(id=7, name="grain", supercategory="solid", blueprints=("Bead", "Flake"))
    found = json.loads(b"".join(iterate_coco([scene.run], INFO, [grain])))
    assert found["categories"] == [{"id": 7, "name": "grain", "supercategory": "solid"}]
    assert {note["category_id"] for note in found["annotations"]} == {7}


def test_an_annotation_has_the_id_that_its_blueprint_has_in_the_given_list(scene_of) -> None:
    found = document((scene_of(number, discs=6).run for number in (1, 2)), "Flake", "Absent", "Bead")
    assert found["categories"] == [
        {"id": 1, "name": "Flake", "supercategory": "particle"},
        {"id": 2, "name": "Absent", "supercategory": "particle"},
        {"id": 3, "name": "Bead", "supercategory": "particle"},
    ]
    assert {(note["particle_id"] % 2, note["category_id"]) for note in found["annotations"]} == {(0, 1), (1, 3)}


def test_a_reader_in_any_locale_gets_the_names_of_categories() -> None:
    text = b"".join(iterate_coco([], INFO, build_categories(["Körnchen 粒"]))).decode("latin-1")
    assert [category["name"] for category in json.loads(text)["categories"]] == ["Körnchen 粒"]


def test_annotation_ids_count_over_all_runs_from_one(scene_of) -> None:
    notes = document(scene_of(number, discs=6).run for number in (1, 2))["annotations"]
    assert [note["id"] for note in notes] == list(range(1, len(notes) + 1))


def test_no_run_and_an_empty_picture_are_valid(scene_of) -> None:
    assert document([])["images"] == document([])["annotations"] == []
    assert [category["name"] for category in document([])["categories"]] == ["Bead", "Flake"]
    empty = document([scene_of(4, discs=0).run])
    assert empty["annotations"] == []
    assert empty["images"] == [{"id": 4, "file_name": "runs/4/real.png", "width": 60, "height": 40}]


def test_a_piece_holds_no_more_than_one_particle(scene_of) -> None:
    pieces = list(iterate_coco([scene_of(number, discs=12).run for number in range(5)], INFO, CATEGORIES))
    assert max(piece.count(b'"particle_id"') for piece in pieces) == 1
