"""Each format is read by the tools that it is for: the same runs, particles and pixels as in the labels.

Runs with `make test-readers`; a tool that is not installed is skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(os.environ["SYNTH_EXPORTS"])
TRUTH: dict[str, Any] = json.loads((FOLDER / "truth.json").read_text())
NAMES = sorted(TRUTH)
SPLITS = ("train", "val")
with_each_dataset = pytest.mark.parametrize("name", NAMES)
with_runs = pytest.mark.parametrize("name", [name for name in NAMES if TRUTH[name]["truth"]["train"]["runs"]])
with_few_particles = pytest.mark.parametrize(
    "name", [name for name in NAMES if name != "big" and TRUTH[name]["truth"]["train"]["runs"]]
)
"""Without 65,535 particles in a picture: supervision and FiftyOne make a mask of the whole picture for each (23 GB);
datumaro's importer goes through all particles of a picture for each of them, for minutes.
"""


class Export:
    """An export of a dataset, and what is true of it."""

    def __init__(self, name: str, kind: str) -> None:
        self.kind = kind
        self.folder = TRUTH[name]["exports"][kind]["folder"]
        self.loading: str = TRUTH[name]["exports"][kind]["loading"]
        self.classes: list[str] = TRUTH[name]["classes"]
        self.truth = TRUTH[name]["truth"]

    def load(self, *variables: str) -> Any:
        """What the line that export prints gives to its variables."""
        found: dict[str, Any] = {}
        exec(self.loading, found)
        values = [found[variable] for variable in variables or ("dataset",)]
        return values[0] if len(values) == 1 else values

    def runs(self, split: str) -> dict[str, Any]:
        """Truth of each run by its key."""
        runs: dict[str, Any] = self.truth[split]["runs"]
        return runs

    def counts(self, split: str) -> list[int]:
        """Particles of each run in the order of run numbers."""
        return [len(run["pixels"]) for run in sorted(self.runs(split).values(), key=lambda run: run["number"])]

    def pixels(self, split: str) -> int:
        return sum(sum(run["pixels"]) for run in self.runs(split).values())


@with_each_dataset
@pytest.mark.parametrize("kind", ["coco", "coco-rle"])
def test_pycocotools(name: str, kind: str) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    export = Export(name, kind)
    assert len(export.load().imgs) == len(export.runs("train"))
    for split in SPLITS:
        coco = coco_module.COCO(f"{export.folder}/annotations/instances_{split}.json")
        assert [category["name"] for category in coco.dataset["categories"]] == export.classes
        assert sorted(image["key"] for image in coco.imgs.values()) == sorted(export.runs(split))
        for image in coco.imgs.values():
            pixels = export.runs(split)[image["key"]]["pixels"]
            notes = coco.loadAnns(coco.getAnnIds(image["id"]))[:500]
            assert [int(coco.annToMask(note).sum()) for note in notes] == pixels[:500]


@with_runs
def test_torchvision(name: str) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    export = Export(name, "coco")
    found = datasets.CocoDetection(f"{export.folder}/images/train", f"{export.folder}/annotations/instances_train.json")
    assert [len(notes) for _, notes in found] == export.counts("train")


@with_few_particles
@pytest.mark.parametrize("kind", ["coco", "coco-rle"])
def test_supervision_reads_coco(name: str, kind: str) -> None:
    supervision = pytest.importorskip("supervision")
    export = Export(name, kind)
    found = supervision.DetectionDataset.from_coco(
        f"{export.folder}/images/train", f"{export.folder}/annotations/instances_train.json", force_masks=True
    )
    detections = [detections for _, _, detections in found]
    assert sorted(map(len, detections)) == sorted(export.counts("train"))
    assert found.classes == export.classes
    if kind == "coco-rle":
        assert sum(int(one.mask.sum()) for one in detections if len(one)) == export.pixels("train")


@with_few_particles
def test_supervision_reads_yolo(name: str) -> None:
    supervision = pytest.importorskip("supervision")
    export = Export(name, "yolo")
    found = supervision.DetectionDataset.from_yolo(
        f"{export.folder}/images/train", f"{export.folder}/labels/train", f"{export.folder}/data.yaml"
    )
    assert sorted(len(one) for _, _, one in found) == sorted(export.counts("train"))
    assert found.classes == export.classes


@with_few_particles
@pytest.mark.parametrize("kind", ["coco", "coco-rle"])
def test_datumaro(name: str, kind: str) -> None:
    datumaro = pytest.importorskip("datumaro")
    export = Export(name, kind)
    found = datumaro.Dataset.import_from(export.folder, "coco_instances")
    for split in SPLITS:
        if not export.runs(split):
            continue
        items = found.subsets()[split]
        assert sorted(len({note.group for note in item.annotations}) for item in items) == sorted(export.counts(split))


@with_few_particles
def test_fiftyone(name: str) -> None:
    module = pytest.importorskip("fiftyone.utils.coco")
    export = Export(name, "coco-rle")
    importer = module.COCODetectionDatasetImporter(
        data_path=f"{export.folder}/images/train",
        labels_path=f"{export.folder}/annotations/instances_train.json",
        label_types=["segmentations"],
    )
    with importer:
        found = [len(label.detections) if label else 0 for _, _, label in importer]
    assert sorted(found) == sorted(export.counts("train"))


@with_runs
def test_ultralytics(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pytest.importorskip("ultralytics.data.dataset")
    export = Export(name, "yolo")
    document = export.load()
    assert list(document["names"].values()) == export.classes
    dataset = data.YOLODataset(img_path=str(document["train"]), data=document, task="segment", augment=False)
    counts = {int(Path(label["im_file"]).stem): len(label["segments"]) for label in dataset.labels}
    assert [counts[number] for number in sorted(counts)] == export.counts("train")


@pytest.fixture(scope="module")
def datasets_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of `datasets` for all exports, as a user has it; their folders have the same name."""
    pytest.importorskip("datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("datasets"))
        yield


@with_each_dataset
@pytest.mark.usefixtures("datasets_cache")
def test_datasets(name: str) -> None:
    export = Export(name, "huggingface")
    if not any(map(export.runs, SPLITS)):
        with pytest.raises(ValueError, match="corresponds to no data"):
            export.load()
        return
    found = export.load()
    assert sorted(found) == sorted(split for split in SPLITS if export.runs(split))
    for split, rows in found.items():
        assert rows.features["objects"]["category"].feature.names == export.classes
        assert sorted(rows["key"]) == sorted(export.runs(split))
        for row in rows:
            truth = export.runs(split)[row["key"]]
            pixels = np.bincount(np.array(row["instances"]).ravel())[1:]
            assert pixels[pixels > 0].tolist() == truth["pixels"] == row["objects"]["area"]
            assert row["image"].size == tuple(truth["size"][::-1])


@pytest.mark.usefixtures("datasets_cache")
def test_datasets_reads_what_overlaps_and_agglomerates() -> None:
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset(f"{FOLDER}/exports/overlapping/huggingface")["train"]
    rows = {len(row["objects"]["id"]): row["objects"] for row in found}
    assert rows[0]["overlaps"] == rows[0]["agglomerate"] == []
    overlaps = dict(zip(rows[11]["id"], rows[11]["overlaps"], strict=True))
    assert any(overlaps.values())
    assert all(one in overlaps[other] for one, others in overlaps.items() for other in others)
    assert rows[11]["agglomerate"] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, None]


@with_runs
def test_webdataset(name: str) -> None:
    pytest.importorskip("webdataset")
    export = Export(name, "webdataset")
    found = {sample["__key__"]: sample for sample in export.load()}
    assert sorted(found) == sorted(export.runs("train"))
    for key, sample in found.items():
        truth = export.runs("train")[key]
        pixels = np.bincount(sample["instances.npy"].ravel())[1:]
        assert pixels[pixels > 0].tolist() == truth["pixels"]
        assert [one["area"] for one in sample["json"]["objects"]] == truth["pixels"]
        assert sample["image.png"].size == tuple(truth["size"][::-1])


@with_runs
def test_cellpose(name: str) -> None:
    pytest.importorskip("cellpose.io")
    export = Export(name, "cellpose")
    images, masks, names = export.load("images", "masks", "names")
    assert len(images) == len(names) == len(export.runs("train"))
    assert [len(np.unique(mask)) - 1 for mask in masks] == export.counts("train")


@with_runs
def test_stardist(name: str) -> None:
    geometry = pytest.importorskip("stardist.geometry")
    utils = pytest.importorskip("stardist.utils")
    export = Export(name, "stardist")
    images, masks = export.load("images", "masks")
    assert [image.shape[:2] for image in images] == [mask.shape for mask in masks]
    assert all(mask.dtype == np.uint16 for mask in masks)
    assert [len(np.unique(mask[mask > 0])) for mask in masks] == export.counts("train")
    if name != "big":  # it fills the holes particle by particle, each in the whole picture
        filled = [utils.fill_label_holes(mask) for mask in masks]
        assert [len(np.unique(mask[mask > 0])) for mask in filled] == export.counts("train")
    distances = geometry.star_dist(masks[-1], n_rays=8, mode="cpp")
    assert ((distances > 0).any(axis=-1) == (masks[-1] > 0)).all()


@with_runs
def test_csbdeep(name: str) -> None:
    data = pytest.importorskip("csbdeep.data")
    export = Export(name, "stardist")
    pairs = data.RawData.from_folder(f"{export.folder}/train", ["images"], "masks", axes="YX")
    counts = [len(np.unique(ids[ids > 0])) for _, ids, axes, _ in pairs.generator() if axes == "YX"]
    assert sorted(counts) == sorted(export.counts("train"))


@with_few_particles
def test_label_studio(name: str, tmp_path: Path) -> None:
    importer = pytest.importorskip("label_studio_sdk.converter.imports.coco")
    export = Export(name, "coco")
    tasks = tmp_path / "tasks.json"
    importer.convert_coco_to_ls(f"{export.folder}/annotations/instances_train.json", str(tasks))
    found = [task["annotations"][0]["result"] for task in json.loads(tasks.read_text())]
    counts = [sum(one["type"] == "rectanglelabels" for one in results) for results in found]
    assert counts == export.counts("train")
    labels = [
        one["value"]["polygonlabels"][0] for results in found for one in results if one["type"] == "polygonlabels"
    ]
    assert len(labels) >= sum(counts)
    assert set(labels) <= set(export.classes)


@with_each_dataset
def test_mlcroissant(name: str) -> None:
    croissant = pytest.importorskip("mlcroissant")
    export = Export(name, "coco")
    dataset = croissant.Dataset(f"{export.folder}/croissant.json")
    records = [record for _, record in zip(range(5000), dataset.records("particles"), strict=False)]
    keys = {str(record["particles/key"], "utf-8") for record in records}
    assert keys <= {key for split in SPLITS for key in export.runs(split)}
    assert bool(records) == any(export.counts(split) != [0] * len(export.counts(split)) for split in SPLITS)
