"""Format yolo: outlines and boxes in fractions of the picture, a file for each picture, splits and classes."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from pycocotools import mask as coco_mask

from synth_api.errors import InputError
from synth_api.splits import Splits, parse_rule
from synth_dataset.store.folder_store import FolderStore

SIZE = np.array([60, 40])


def lines_of(folder, split="train"):
    """Class and numbers of each line, by run."""
    found = {}
    for path in sorted((folder / f"labels/{split}").iterdir()):
        lines = [line.split() for line in path.read_text().splitlines()]
        found[int(path.stem)] = [(int(kind), np.array(numbers, float)) for kind, *numbers in lines]
    return found


def test_outlines_cover_the_pixels_of_the_labels(discs, export, labels_of) -> None:
    found = lines_of(export(discs, format="yolo"))
    assert [len(lines) for lines in found.values()][::2] == [0, 0, 0], "a picture without particles has an empty file"
    for run, lines in found.items():
        key = list(discs.iterate_rows(["run", "key"]))[run]["key"]
        ids = labels_of(discs, key)
        numbers = np.unique(ids[ids > 0]).tolist()
        assert len(lines) == len(numbers)
        for number, (kind, corners) in zip(numbers, lines, strict=True):
            assert kind == number % 2
            flat = np.round((corners.reshape(-1, 2) * SIZE), 2).ravel().tolist()
            mask = coco_mask.decode(coco_mask.frPyObjects([flat], 40, 60))[..., 0]
            assert (mask == (ids == number)).all()


def test_boxes_have_centre_and_size(discs, export, labels_of) -> None:
    lines = lines_of(export(discs, format="yolo", boxes=True))[1]
    ids = labels_of(discs, list(discs.iterate_rows(["key"]))[1]["key"])
    for number, (_, box) in zip(np.unique(ids[ids > 0]), lines, strict=True):
        rows, columns = np.nonzero(ids == number)
        centre, size = box[:2] * SIZE, box[2:] * SIZE
        assert (centre - size / 2).round(2).tolist() == [columns.min(), rows.min()]
        assert (centre + size / 2).round(2).tolist() == [columns.max() + 1, rows.max() + 1]


def test_the_document_names_splits_and_classes(discs, export) -> None:
    splits = Splits(rules=(parse_rule("seed=1:val"), parse_rule("seed=2:test"), parse_rule("seed=9:unused")))
    document = yaml.safe_load((export(discs, format="yolo", splits=splits) / "data.yaml").read_text())
    assert document == {
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "names": {0: "Bead", 1: "Flake"},
    }
    alone = yaml.safe_load((export(discs, format="yolo", out="alone") / "data.yaml").read_text())
    assert (alone["train"], alone["val"]) == ("images/train", "images/train")


def test_names_of_classes_have_no_effect_in_the_document(render, export, disc_sweep, tmp_path) -> None:
    names = ("a: [b", "'x'\n  7: y")
    source = render(FolderStore(tmp_path / "odd"), disc_sweep(particle_blueprints=names))
    assert yaml.safe_load((export(source, format="yolo") / "data.yaml").read_text())["names"] == dict(enumerate(names))


def test_particles_to_ignore_are_unknown(discs, export) -> None:
    with pytest.raises(InputError, match="--below: readers of yolo know no particles to ignore; take drop"):
        export(discs, format="yolo", below="ignore")
