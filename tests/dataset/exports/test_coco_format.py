"""Format coco: what pycocotools reads from an export is what the labels of the runs are, for every option."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from synth_api.splits import Splits, parse_shares

HALVES = Splits(parse_shares("train=1/2,test=1/2"))


def open_coco(folder, split="train"):
    return COCO(str(folder / f"annotations/instances_{split}.json"))


def masks_of(coco, image):
    return {note["particle_id"]: coco.annToMask(note) for note in coco.loadAnns(coco.getAnnIds(image["id"]))}


@pytest.mark.parametrize("masks", ["polygon", "rle"])
def test_masks_are_the_pixels_of_the_labels(discs, export, labels_of, masks) -> None:
    coco = open_coco(export(discs, masks=masks))
    images = coco.loadImgs(coco.getImgIds())
    assert len(images) == 6
    for image in images:
        ids = labels_of(discs, image["key"])
        found = masks_of(coco, image)
        assert sorted(found) == np.unique(ids[ids > 0]).tolist()
        for number, mask in found.items():
            assert ((ids == number) == mask).all()
    for note in coco.loadAnns(coco.getAnnIds()):
        left, top, width, height = note["bbox"]
        rows, columns = np.nonzero(coco.annToMask(note))
        assert [columns.min(), rows.min()] == [left, top]
        assert [columns.max() + 1, rows.max() + 1] == [left + width, top + height]
        assert note["area"] == len(rows)


@pytest.mark.parametrize("masks", ["polygon", "rle"])
def test_amodal_masks_have_the_hidden_parts(discs, export, masks) -> None:
    coco = open_coco(export(discs, masks=masks, amodal=True))
    notes = coco.loadAnns(coco.getAnnIds())
    assert any(note["visible_fraction"] < 1 for note in notes)
    for note in notes:
        assert coco.annToMask(note).sum() == note["area"] == note["amodal_area"]


def test_pictures_are_named_by_run_and_lie_in_the_folder_of_their_split(discs, export) -> None:
    folder = export(discs, splits=HALVES)
    names = []
    for split in ("train", "test"):
        for image in json.loads((folder / f"annotations/instances_{split}.json").read_bytes())["images"]:
            manifest = discs.store.read_manifest(image["key"])
            source = discs.store.root / f"runs/{image['key'][:2]}/{image['key']}/{manifest.c8}/real.png"
            picture = folder / "images" / split / image["file_name"]
            assert picture.read_bytes() == source.read_bytes()
            assert (image["run"], image["seed"], image["pixel_size"], image["license"]) == (
                image["id"], manifest.seed, 0.1, 1,
            )  # fmt: skip
            names.append(picture.name)
    assert sorted(names) == [f"{run:06d}.png" for run in range(6)]


def test_all_documents_have_all_categories_and_say_where_they_are_from(discs, export) -> None:
    folder = export(discs, splits=HALVES, where="visible = 0")
    for split in ("train", "test"):
        document = json.loads((folder / f"annotations/instances_{split}.json").read_bytes())
        assert [(kind["id"], kind["name"]) for kind in document["categories"]] == [(1, "Bead"), (2, "Flake")]
        assert document["info"]["plan"] == discs.attempt.plan
        assert document["info"]["version"]
        assert document["info"]["date_created"]
        assert document["licenses"][0]["id"] == 1
        assert document["annotations"] == []


def test_annotation_ids_are_unique_and_not_0(discs, export) -> None:
    document = json.loads((export(discs) / "annotations/instances_train.json").read_bytes())
    ids = [note["id"] for note in document["annotations"]]
    assert len(set(ids)) == len(ids) > 0
    assert min(ids) > 0


def test_small_particles_are_dropped_or_ignored(discs, export) -> None:
    whole = open_coco(export(discs, out="whole"))
    areas = [note["area"] for note in whole.loadAnns(whole.getAnnIds())]
    least = int(np.median(areas))
    dropped = open_coco(export(discs, out="dropped", min_area=least))
    assert sorted(note["area"] for note in dropped.anns.values()) == sorted(area for area in areas if area >= least)
    ignored = open_coco(export(discs, out="ignored", min_area=least, below="ignore"))
    crowds = [note for note in ignored.anns.values() if note["iscrowd"]]
    assert sorted(note["area"] for note in crowds) == sorted(area for area in areas if area < least)
    assert all(ignored.annToMask(note).sum() == note["area"] for note in crowds)


def test_hidden_particles_are_left_out_by_their_visible_share(discs, export, labels_of) -> None:
    coco = open_coco(export(discs, min_visible=0.9))
    assert all(note["visible_fraction"] >= 0.9 for note in coco.anns.values())
    for image in coco.loadImgs(coco.getImgIds()):
        ids = labels_of(discs, image["key"])
        assert all(((ids == number) == mask).all() for number, mask in masks_of(coco, image).items())


def test_other_pictures_lie_beside(discs, export) -> None:
    folder = export(discs, pictures=("depth_map",))
    names = sorted(path.name for path in (folder / "depth_map/train").iterdir())
    assert names == [f"{run:06d}.png" for run in range(6)]


def test_65535_particles_of_one_picture(export, big_picture) -> None:
    coco = open_coco(export(big_picture))
    assert len(coco.anns) == 65535
    note = coco.anns[258]
    assert coco.annToMask(note).sum() == note["area"] == 4
