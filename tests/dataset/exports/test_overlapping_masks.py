"""Exports of particles that shine through: whole masks where a format can hold them, else the nearest, and words."""

from __future__ import annotations

import io
import json
import tarfile

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from disc_datasets import DiscSweep, draw_discs, find_agglomerate, render_discs
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.attempts.render_call import OtherRuns
from synth_dataset.exports import shards
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.depth import Depth
from synth_dataset.verification.export_check import check_export

NUMBER, SEED, RUN = 40, 1, "000001"
DISCS = {number: disc for number, disc in draw_discs(SEED, NUMBER).items() if disc.any()}
OVERLAPS = {one: [other for other in DISCS if other != one and (DISCS[one] & DISCS[other]).any()] for one in DISCS}
SHARED = sum(map(bool, OVERLAPS.values()))


@pytest.fixture
def overlapping(tmp_path) -> DatasetSource:
    """Run 0 without particles, run 1 with 40 discs that shine through."""
    sweep = DiscSweep(numbers=(0, NUMBER), seeds=(SEED,), overlap=True)
    return render_discs(FolderStore(tmp_path / "overlapping"), sweep)


@pytest.fixture
def ids(overlapping, labels_of):
    return labels_of(overlapping, [row["key"] for row in overlapping.iterate_rows(["key"])][1])


@pytest.mark.parametrize("amodal", [False, True])
@pytest.mark.parametrize("masks", ["polygon", "rle"])
def test_coco_has_whole_masks_and_what_overlaps(overlapping, export, masks, amodal) -> None:
    folder = export(overlapping, masks=masks, amodal=amodal, min_visible=1.0)
    coco = COCO(str(folder / "annotations/instances_train.json"))
    notes = {note["particle_id"]: note for note in coco.loadAnns(coco.getAnnIds())}
    assert notes.keys() == DISCS.keys()
    for number, note in notes.items():
        assert (coco.annToMask(note) == DISCS[number]).all()
        assert (note["area"], note["overlaps"], note["occluded_by"]) == (DISCS[number].sum(), OVERLAPS[number], [])


def test_yolo_has_whole_outlines(overlapping, export) -> None:
    lines = (export(overlapping, format="yolo") / f"labels/train/{RUN}.txt").read_text().splitlines()
    for line, disc in zip(lines, DISCS.values(), strict=True):
        corners = np.array(line.split()[1:], float).reshape(-1, 2) * (60, 40)
        outline = [np.round(corners, 2).ravel().tolist()]
        assert (coco_mask.decode(coco_mask.frPyObjects(outline, 40, 60))[..., 0] == disc).all()


@pytest.mark.parametrize("left_out", [False, True])
def test_pairs_have_the_nearest_and_leave_out_what_is_nearest_nowhere(overlapping, export, ids, left_out) -> None:
    classes = {"Bead": None, "Flake": "Flake"} if left_out else "category"
    folder = export(overlapping, format="pairs", classes=classes)
    expected = np.where(ids % 2 == 1, ids, 0) if left_out else ids
    assert (cv2.imread(str(folder / f"train/{RUN}_masks.png"), cv2.IMREAD_UNCHANGED) == expected).all()
    found = len(np.unique(expected)) - 1
    counts = json.loads((folder / "dataset.json").read_bytes())["splits"]["train"]
    assert counts["objects"] == found < len(DISCS)
    sentence = "A pixel of the masks has the nearest one, and one that is nearest nowhere is left out."
    assert f"{counts['overlapping']} of them share pixels with others. {sentence}" in (folder / "README.md").read_text()


def test_webdataset_has_nearest_ids_and_whole_boxes(overlapping, export, ids) -> None:
    folder = export(overlapping, format="webdataset")
    (path,) = folder.glob("train-*.tar")
    with tarfile.open(path) as tar:
        members = {member.name.partition(".")[2]: tar.extractfile(member).read() for member in tar}
        pictures = [
            np.load(io.BytesIO(tar.extractfile(member).read())) for member in tar if member.name.endswith("npy")
        ]
    assert members.keys() >= {"instances.npy", "json"}
    assert any((picture == ids).all() for picture in pictures)
    with tarfile.open(path) as tar:
        documents = [json.loads(tar.extractfile(member).read()) for member in tar if member.name.endswith("json")]
    (objects,) = (document["objects"] for document in documents if document["objects"])
    assert {one["id"]: one["area"] for one in objects} == {number: disc.sum() for number, disc in DISCS.items()}
    assert {one["id"]: one["overlaps"] for one in objects} == OVERLAPS
    card = (folder / "README.md").read_text()
    assert f"{SHARED} of them share pixels with others. A pixel of the ids has the nearest one; boxes and" in card


def test_huggingface_has_nearest_ids_and_whole_boxes(overlapping, export, ids) -> None:
    folder = export(overlapping, format="huggingface")
    rows = [row for path in (folder / "data").iterdir() for row in pq.read_table(path).to_pylist() if row["run"] == 1]
    content = rows[0]["instances"]["bytes"]
    assert (cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) == ids).all()
    assert rows[0]["objects"]["area"] == [disc.sum() for disc in DISCS.values()]
    assert "A pixel of the ids has the nearest one" in (folder / "README.md").read_text()


@pytest.mark.parametrize("format_", ["coco", "yolo", "pairs", "huggingface", "webdataset"])
def test_verify_finds_no_fault(overlapping, export, format_) -> None:
    store = FolderStore(export(overlapping, format=format_))
    faults = [fault.sentence for checked in check_export(store, Depth(labels=True)) for fault in checked.faults]
    assert faults == []
    document = json.loads((store.root / "dataset.json").read_bytes())
    assert document["splits"]["train"]["overlapping"] > 0


def test_cards_of_other_datasets_say_nothing_of_it(discs, export) -> None:
    folder = export(discs)
    assert "share pixels" not in (folder / "README.md").read_text()
    assert "overlapping" not in json.loads((folder / "dataset.json").read_bytes())["splits"]["train"]


OPTIONAL = {"overlaps": pa.list_(pa.list_(pa.int32())), "agglomerate": pa.list_(pa.int32())}


def find_optional(schema: pa.Schema) -> dict[str, pa.DataType]:
    objects = schema.field("objects").type
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]["objects"]
    found = {field.name: field.type for field in objects if field.name in OPTIONAL}
    assert found.keys() == features.keys() & OPTIONAL.keys()
    return found


def test_huggingface_has_what_overlaps_and_agglomerates_in_all_shards(tmp_path, render, export, monkeypatch) -> None:
    """The first dataset and the first run have neither, and every shard has both all the same."""
    monkeypatch.setattr(shards, "_measure_run", lambda _: 256 << 20)
    plain = render(FolderStore(tmp_path / "plain"), DiscSweep("plain", (SEED,), (0, NUMBER), ("Rod",)))
    whole = DiscSweep("whole", (SEED,), (0, NUMBER), overlap=True, agglomerates=True)
    paths = sorted(
        (export(plain, render(FolderStore(tmp_path / "whole"), whole), format="huggingface") / "data").iterdir()
    )
    assert [find_optional(pq.read_schema(path)) for path in paths] == [OPTIONAL] * 4
    rows = {row["run"]: row["objects"] for path in paths for row in pq.read_table(path).to_pylist()}
    assert rows[0]["overlaps"] == rows[2]["agglomerate"] == []
    assert rows[1]["overlaps"] == [[]] * len(rows[1]["id"])
    assert rows[1]["agglomerate"] == [None] * len(rows[1]["id"])
    assert dict(zip(rows[3]["id"], rows[3]["overlaps"], strict=True)) == OVERLAPS
    assert rows[3]["agglomerate"] == [find_agglomerate(disc, NUMBER) for disc in DISCS]
    assert (
        find_optional(pq.read_schema(next((export(plain, out="own", format="huggingface") / "data").iterdir()))) == {}
    )


def test_the_table_of_particles_has_the_columns_of_all_runs(tmp_path, render, export) -> None:
    store = FolderStore(tmp_path / "joined")
    render(store, DiscSweep(seeds=(SEED,), numbers=(NUMBER,)))
    later = DiscSweep(seeds=(SEED + 1,), numbers=(NUMBER,), overlap=True, agglomerates=True)
    table = pq.read_table(export(render(store, later, OtherRuns.ADD)) / "particles.parquet")
    for name, of_disc in (("nearest_px", None), ("agglomerate", find_agglomerate)):
        values = table[name].to_pylist()
        assert values[:NUMBER] == [None] * NUMBER
        assert of_disc is None or values[NUMBER:] == [of_disc(disc, NUMBER) for disc in range(1, NUMBER + 1)]
        assert any(values[NUMBER:])
