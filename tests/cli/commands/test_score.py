"""`synth score`: results and masks on a dataset and on its export, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from coco_scenes import average, evaluate
from disc_datasets import DiscSweep, render_discs

from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore

KEYS = ("image_id", "category_id", "segmentation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, its export for COCO with two splits and its masks for cellpose."""
    made = tmp_path_factory.mktemp("discs")
    render_discs(FolderStore(made / "dataset"), DiscSweep(seeds=(0, 1, 2), numbers=(0, 4, 9), base={"blueprints": {}}))
    words = ["--masks", "rle", "--split-by", "seed=2:test", "--out", str(made / "coco")]
    assert run(["export", str(made / "dataset"), "--format", "coco", *words]) == 0
    assert run(["export", str(made / "dataset"), "--format", "pairs", "--out", str(made / "pairs")]) == 0
    return made


@pytest.fixture
def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "coco/annotations/instances_train.json").read_bytes())
    return found


def write_results(folder: Path, document: dict[str, Any], **more: Any) -> Path:
    """Results that are the annotations of a document."""
    results = [{"score": 0.9, **{key: note[key] for key in KEYS}, **more} for note in document["annotations"]]
    path = folder / "results.json"
    path.write_text(json.dumps(results))
    return path


def score(capsys, *words: object) -> dict[str, Any]:
    assert run(["score", *map(str, words), "-o", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_results_on_an_export_and_on_the_dataset_have_one_score(folder, document, tmp_path, capsys) -> None:
    results = write_results(tmp_path, document)
    exported = score(capsys, results, folder / "coco", "--split", "train", "--by", "number")
    direct = score(capsys, results, folder / "dataset", "--where", "seed < 2", "--by", "number")
    for key in ("all", "by", "groups", "max_detections", "classes"):
        assert direct[key] == exported[key]
    assert (exported["all"]["ap"], exported["all"]["pq"], exported["max_detections"]) == (1.0, 1.0, 9)
    assert [(group["value"], group["images"], group["ap"]) for group in exported["groups"]] == [
        (0, 2, None), (4, 2, 1.0), (9, 2, 1.0),
    ]  # fmt: skip


def test_displaced_masks_have_the_precision_of_pycocotools(folder, document, tmp_path, capsys) -> None:
    from pycocotools import mask as coco_mask

    rng = np.random.default_rng(4)
    results = []
    for note in document["annotations"]:
        moved = np.roll(coco_mask.decode(note["segmentation"]), rng.integers(-2, 3), axis=1)
        mask = coco_mask.encode(np.asfortranarray(moved))
        segmentation = {"size": mask["size"], "counts": mask["counts"].decode()}
        entry = {"image_id": note["image_id"], "category_id": note["category_id"], "segmentation": segmentation}
        results.append({**entry, "score": float(rng.random())})
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    found = score(capsys, path, folder / "coco/annotations/instances_train.json")
    precision = evaluate(document, results, "segm", found["max_detections"], [[0.0, 1e10]])
    assert 0.2 < found["all"]["ap"] < 0.99
    assert found["all"]["ap"] == pytest.approx(average(precision), rel=1e-9)


def test_polygons_of_an_export_are_the_masks(folder, document, tmp_path, capsys) -> None:
    assert run(["export", str(folder / "dataset"), "--format", "coco", "--out", str(tmp_path / "polygons")]) == 0
    capsys.readouterr()
    found = score(capsys, write_results(tmp_path, document), tmp_path / "polygons", "--by", "seed")
    assert [group["ap"] for group in found["groups"]] == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("kind", ["cellpose", "npy", "tif"])
def test_a_folder_of_masks_has_no_classes(folder: Path, tmp_path: Path, capsys, kind: str) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in (folder / "pairs/train").glob("*_masks.png"):
        ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        run_ = path.name[:6]
        if kind == "npy":
            np.save(masks / f"{run_}.npy", ids.astype(np.int32))
        else:
            name = f"{run_}_img_cp_masks.png" if kind == "cellpose" else f"{run_}_masks.tif"
            cv2.imwrite(str(masks / name), ids)
    found = score(capsys, masks, folder / "dataset")
    assert (found["classes"], found["all"]["ap"], found["all"]["pq"]) == (["particle"], 1.0, 1.0)


def test_people_get_tables(folder, document, tmp_path, capsys) -> None:
    results = write_results(tmp_path, document)
    assert run(["score", str(results), str(folder / "dataset"), "--by", "number"]) == 0
    output = capsys.readouterr().out
    assert "AP            " in output
    assert "(of masks, maxDets 9)" in output
    assert [line.split()[1] for line in output.splitlines() if line.startswith(("0 ", "4 ", "9 "))][:3] == ["3"] * 3


def test_predictions_may_name_their_categories(folder, document, tmp_path, capsys) -> None:
    results = [
        {"score": 0.9, **{key: note[key] for key in KEYS}, "category_id": 70 + note["category_id"]}
        for note in document["annotations"]
    ]
    kinds = [{"id": 70 + kind["id"], "name": kind["name"]} for kind in document["categories"]]
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"annotations": results, "categories": kinds}))
    assert score(capsys, path, folder / "coco", "--split", "train")["all"]["ap"] == 1.0
    path.write_text(json.dumps({"annotations": results, "categories": [{"id": 71, "name": "Beat"}]}))
    assert run(["score", str(path), str(folder / "coco"), "--split", "train"]) == 2
    assert (
        "has the category 'Beat', which instances_train does not have; did you mean 'Bead'?" in capsys.readouterr().err
    )


@pytest.mark.parametrize("category", ["Bead", {"id": 1}])
def test_a_wrong_category_is_named(folder, tmp_path, capsys, category: Any) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"annotations": [], "categories": [category]}))
    assert run(["score", str(path), str(folder / "coco"), "--split", "train"]) == 2
    assert "category 0 is no object with id and name, as COCO's are" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"image_id": 77},
            "result 0 has image_id 77, which discs does not have; its ids are run numbers such as 0 and 8",
        ),
        ({"category_id": 5}, "result 0 has category_id 5, which discs does not have; it has 1 Bead, 2 Flake"),
        (
            {"category_id": [1]},
            "result 0 has no number as category_id; a result has image_id, category_id, score, and bbox",
        ),
        ({"score": "high"}, "result 0 has no number as score; a result has image_id, category_id, score, and bbox"),
        ({"segmentation": {"size": [7, 9], "counts": "1"}}, "has a mask of 9 x 7 px in an image of 60 x 40 px"),
        ({"score": float("nan")}, "result 0 has the score nan; it must be a finite number"),
        ({"segmentation": [[1, 2, 3]]}, "has a polygon that is no list x, y, x, y … of at least three corners"),
        ({"segmentation": [[1, 2, float("nan"), 4, 5, 6]]}, "a coordinate that is no number from -65536 to 65536"),
        (
            {"segmentation": {"size": [40, 60], "counts": [5, 300000]}},
            "has run lengths that are not those of 2,400 pixels",
        ),
        (
            {"segmentation": {"size": [40, 60], "counts": [2401, -1]}},
            "has run lengths that are not those of 2,400 pixels",
        ),
        (
            {"segmentation": {"size": [40, 60], "counts": "zzzzabc"}},
            "has run lengths that are not those of 2,400 pixels",
        ),
        ({"segmentation": {"size": [40, 60], "counts": "12"}}, "has run lengths that are not those of 2,400 pixels"),
        ({"segmentation": {"size": [40, 60], "counts": ""}}, "has run lengths that are not those of 2,400 pixels"),
        ({"segmentation": 4}, "has a bbox or segmentation that is none of COCO's"),
    ],
)
def test_a_wrong_result_is_named(folder, document, tmp_path, capsys, change: dict[str, Any], problem: str) -> None:
    results = write_results(tmp_path, document, **change)
    assert run(["score", str(results), str(folder / "dataset")]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{results} {folder}/coco", "coco has the splits test, train; choose with --split"),
        ("{results} {folder}/coco --split train --min-score nan", "'--min-score': nan is not in the range 0<=x<=1"),
        ("{results} {folder}/coco --split val", "has no split 'val', it has test, train"),
        (
            "{results} {folder}/dataset --split train",
            "--split: is for exports; of a dataset take --where 'split = train'",
        ),
        ("{results} {folder}/coco --split train --by colour", "--by: there is no axis or column 'colour'"),
        ("{results} {folder}/coco --split train --where seed=1", "--where: an export has no filter"),
        ("{results} {results}", "is no document in COCO's object detection format; give instances_<split>.json"),
        ("{folder}/nothing {folder}/dataset", "is missing; give COCO's results as a JSON file, or a folder of masks"),
        ("{folder}/coco {folder}/dataset", "has no masks; a mask is <run>_masks.png"),
        ("{folder}/pairs/README.md {folder}/dataset", "is not JSON"),
        (
            "{folder}/pairs/train {folder}/coco --split test",
            "instances_test has no run 0; choose the split or the runs",
        ),
    ],
)
def test_a_mistake_is_one_sentence(folder, document, tmp_path, capsys, words: str, problem: str) -> None:
    results = write_results(tmp_path, document)
    assert run(["score", *words.format(results=results, folder=folder).split()]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("000000_masks.png", np.zeros((8, 9), np.uint8), "has 9 x 8 values of type uint8; a mask has 60 x 40 ids"),
        ("000000.npy", np.zeros((40, 60)), "has 60 x 40 values of type float64; a mask has 60 x 40 ids"),
        ("000000_masks.tif", None, "is no picture and no array of numpy"),
    ],
)
def test_a_wrong_mask_is_named(folder: Path, tmp_path: Path, capsys, name: str, content: Any, problem: str) -> None:
    path = tmp_path / name
    if content is None:
        path.write_bytes(b"no picture")
    elif path.suffix == ".npy":
        np.save(path, content)
    else:
        cv2.imwrite(str(path), content)
    assert run(["score", str(tmp_path), str(folder / "dataset")]) == 2
    assert problem in capsys.readouterr().err


def test_two_masks_of_a_run_are_refused(folder: Path, tmp_path: Path, capsys) -> None:
    for name in ("000000_masks.png", "000000.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((40, 60), np.uint8))
    assert run(["score", str(tmp_path), str(folder / "dataset")]) == 2
    assert "has 000000.png and 000000_masks.png for one run; remove one" in capsys.readouterr().err


def test_a_missing_file_of_a_run_has_a_remedy(document, tmp_path: Path, capsys) -> None:
    render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=(0,)))
    results = tmp_path / "results.json"
    results.write_text("[]")
    next((tmp_path / "dataset").glob("runs/*/*/*/annotations.json")).unlink()
    assert run(["score", str(results), str(tmp_path / "dataset")]) == 75
    assert (
        "annotations.json: this file of a run is missing; synth verify --repair renders the run again"
        in capsys.readouterr().err
    )


def test_an_export_of_several_datasets_knows_their_axes(tmp_path: Path, capsys) -> None:
    for name, seeds in (("one", (0,)), ("two", (1, 2))):
        render_discs(FolderStore(tmp_path / name), DiscSweep(name=name, seeds=seeds))
    places = [str(tmp_path / name) for name in ("one", "two")]
    assert run(["export", *places, "--format", "coco", "--out", str(tmp_path / "coco")]) == 0
    (tmp_path / "results.json").write_text("[]")
    capsys.readouterr()
    for axis, counts in (
        ("number", [(0, 3), (4, 3)]),
        ("visible", [(0, 3), (4, 3)]),
        ("seed", [(0, 2), (1, 2), (2, 2)]),
    ):
        found = score(capsys, tmp_path / "results.json", tmp_path / "coco", "--by", axis)
        assert [(group["value"], group["images"]) for group in found["groups"]] == counts
