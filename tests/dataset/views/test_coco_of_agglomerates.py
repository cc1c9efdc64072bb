"""Agglomerates in COCO: one annotation each, the union of the masks of its particles, as pycocotools reads it."""

from __future__ import annotations

import json
from itertools import groupby

import numpy as np
import pytest
from disc_datasets import DiscSweep, draw_discs, find_agglomerate, render_discs, stack_discs
from pycocotools.coco import COCO

from synth_api.errors import InputError
from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.scoring.coco_predictions import CocoPredictions
from synth_dataset.scoring.coco_truth import CocoTruth
from synth_dataset.scoring.dataset_truth import DatasetTruth, TruthOptions
from synth_dataset.scoring.score_predictions import score_predictions
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.dataset_check import check_dataset
from synth_dataset.verification.depth import Depth
from synth_dataset.verification.export_check import check_export

NUMBER = 11
CATEGORY = {"id": 3, "name": "agglomerate", "supercategory": "agglomerate", "agglomerates": True}


@pytest.fixture(params=[False, True], ids=["hidden", "overlapping"])
def source(tmp_path, request) -> DatasetSource:
    """Two seeds, without and with 11 discs: three agglomerates of three, one of one, and a disc in none."""
    sweep = DiscSweep(seeds=(3, 4), numbers=(0, NUMBER), agglomerates=True, overlap=request.param)
    return render_discs(FolderStore(tmp_path / "dataset"), sweep)


def list_unions(seed: int, *, whole: bool) -> dict[int, tuple[list[int], np.ndarray]]:
    """Particles and mask (H, W) of each agglomerate with a labelled particle."""
    discs = draw_discs(seed, NUMBER)
    ids = stack_discs(discs)
    masks = {disc: inside if whole else ids == disc for disc, inside in discs.items()}
    seen = [disc for disc, mask in masks.items() if mask.any() and find_agglomerate(disc, NUMBER)]
    groups = groupby(seen, lambda disc: find_agglomerate(disc, NUMBER))
    return {
        number: (members, np.any([masks[disc] for disc in members], axis=0))
        for number, members in ((number, list(discs)) for number, discs in groups)
    }


def check_agglomerates(coco: COCO, image: int, seed: int, *, whole: bool) -> None:
    expected = list_unions(seed, whole=whole)
    notes = coco.loadAnns(coco.getAnnIds(image, catIds=3))
    assert [note["agglomerate_id"] for note in notes] == sorted(expected)
    for note in notes:
        members, union = expected[note["agglomerate_id"]]
        assert note["particle_ids"] == members
        assert (coco.annToMask(note) == union).all()
        rows, columns = np.nonzero(union)
        box = [columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()]
        assert (note["bbox"], note["area"], note["iscrowd"]) == (box, union.sum(), 0)
        assert note["visible_fraction"] == note["area"] / note["amodal_area"] or whole
        assert "particle_id" not in note
    particles = coco.loadAnns(coco.getAnnIds(image, catIds=[1, 2]))
    assert {note["particle_id"]: note.get("agglomerate_id") for note in particles} == {
        note["particle_id"]: find_agglomerate(note["particle_id"], NUMBER) for note in particles
    }


def has_overlap(source: DatasetSource) -> bool:
    folder = [row["folder"] for row in source.iterate_rows(["folder"])][1]
    document = json.loads((source.store.root / folder / "annotations.json").read_bytes())
    return any("overlaps" in particle for particle in document["particles"])


def find_coco(source: DatasetSource) -> str:
    return str(source.store.root / source.dataset.folder / "coco.json")


def test_each_agglomerate_of_a_dataset_is_an_annotation(source: DatasetSource) -> None:
    coco = COCO(find_coco(source))
    assert coco.dataset["categories"][2] == CATEGORY
    assert [entry.name for entry in source.dataset.categories] == ["Bead", "Flake", "agglomerate"]
    assert source.dataset.categories[2].members == ()
    for image, seed in ((1, 3), (3, 4)):
        check_agglomerates(coco, image, seed, whole=has_overlap(source))
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))
    assert all(note["area"] == coco.annToMask(note).sum() for note in coco.anns.values())


@pytest.mark.parametrize("amodal", [False, True])
@pytest.mark.parametrize("masks", ["polygon", "rle"])
def test_each_agglomerate_of_an_export_is_an_annotation(source, tmp_path, masks, amodal) -> None:
    store = export(source, tmp_path, masks=masks, amodal=amodal)
    coco = COCO(str(store.root / "annotations/instances_train.json"))
    assert coco.dataset["categories"][2] == CATEGORY
    for image, seed in ((1, 3), (3, 4)):
        check_agglomerates(coco, image, seed, whole=amodal or has_overlap(source))
    document = json.loads((store.root / "dataset.json").read_bytes())
    assert document["splits"]["train"]["classes"]["agglomerate"] == sum(
        len(list_unions(seed, whole=True)) for seed in (3, 4)
    )
    assert [fault.sentence for checked in check_export(store, Depth(labels=True)) for fault in checked.faults] == []


def export(source: DatasetSource, tmp_path, **options) -> FolderStore:
    store = FolderStore(tmp_path / "out")
    chosen = ExportOptions(**({"format": "coco", "link": "copy"} | options))
    prepare_export([source], chosen, Target(store, "copy")).write()
    return store


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"classes": "blueprint"}, ["Bead", "Flake", "agglomerate"]),
        ({"classes": "one"}, ["particle"]),
        ({"classes": {"Bead": "ball", "Flake": "ball"}}, ["ball"]),
        ({"classes": {"Bead": "ball", "Flake": "ball", "agglomerate": None}}, ["ball"]),
        ({"classes": {"Bead": "ball", "Flake": None, "agglomerate": "cluster"}}, ["ball", "cluster"]),
        ({"format": "yolo"}, ["Bead", "Flake"]),
        ({"format": "webdataset"}, ["Bead", "Flake"]),
        ({"format": "pairs", "classes": {"Bead": "ball", "Flake": "x", "agglomerate": "y"}}, ["ball", "x"]),
    ],
)
def test_classes_of_an_export_with_agglomerates(source, tmp_path, options, expected) -> None:
    store = export(source, tmp_path, **options)
    document = json.loads((store.root / "dataset.json").read_bytes())
    assert [entry["name"] for entry in document["categories"]] == expected
    if options.get("format") is None:
        coco = json.loads((store.root / "annotations/instances_train.json").read_bytes())
        names = {entry["id"]: entry["name"] for entry in coco["categories"]}
        own = {names[note["category_id"]] for note in coco["annotations"] if "particle_ids" in note}
        assert own == {"agglomerate", "cluster"} & set(expected)


def test_a_class_of_particles_and_of_agglomerates_is_refused(source, tmp_path) -> None:
    with pytest.raises(InputError, match=r"--classes: 'x' is a class of particles and of agglomerates; give two"):
        export(source, tmp_path, classes={"Bead": "x", "Flake": "y", "agglomerate": "x"})


def test_verify_compares_agglomerates_with_their_particles(source: DatasetSource) -> None:
    def list_faults() -> list[str]:
        again = find_source(source.store, source.dataset.name)
        return [fault.sentence for checked in check_dataset(again, Depth(labels=True)) for fault in checked.faults]

    assert list_faults() == []
    file = source.store.root / source.dataset.folder / "coco.json"
    file.write_text(file.read_text().replace('"particle_ids":[', '"particle_ids":[99,', 1))
    assert "4 agglomerates of run 1 with the masks of its particles, found others" in "\n".join(list_faults())


def test_scores_count_particles_alone(source: DatasetSource) -> None:
    """The document against itself and against the dataset is perfect, and none of its agglomerates is counted."""
    path = source.store.root / source.dataset.folder / "coco.json"
    for truth in (CocoTruth(path, TruthOptions()), DatasetTruth(source, TruthOptions())):
        assert truth.classes == ("Bead", "Flake")
        predictions = add_scores(path)
        scores = score_predictions(
            CocoPredictions(predictions, truth), truth, name="own", boxes=False, min_score=0.5
        ).all
        assert (scores.ap, scores.particles) == (1.0, scores.predicted)


def add_scores(path):
    document = json.loads(path.read_bytes())
    for note in document["annotations"]:
        note["score"] = 0.9
    scored = path.with_name("scored.json")
    scored.write_text(json.dumps(document))
    return scored
