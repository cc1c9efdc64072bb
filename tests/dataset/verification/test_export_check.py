"""Every kind of damage to an export, made for real: the sentence that names it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_api.splits import Splits, parse_shares
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.depth import Depth
from synth_dataset.verification.export_check import check_export, is_export

QUICK, FULL, DEEP = Depth(contents=False), Depth(), Depth(labels=True)
WRITES = "the same synth export, or synth dataset build, into an empty folder writes it again"
FORMATS = [("coco", {}), ("yolo", {}), ("pairs", {}), ("pairs", {"layout": "stardist"}), ("huggingface", {}),
           ("webdataset", {})]  # fmt: skip


def export(folder: Path, format_: str, seeds: tuple[int, ...] = (0, 1, 2), **options: object) -> FolderStore:
    source = render_discs(FolderStore(folder / "dataset"), DiscSweep(seeds=seeds))
    splits = Splits(parse_shares("train=1/2,test=1/2"))
    store = FolderStore(folder / "out")
    prepare_export([source], ExportOptions(format_, splits, link="copy", **options), Target(store, "copy")).write()
    return store


@pytest.fixture
def coco(tmp_path: Path) -> FolderStore:
    return export(tmp_path, "coco")


def list_faults(store: FolderStore, depth: Depth) -> list[str]:
    sentences = [fault.sentence for checked in check_export(store, depth) for fault in checked.faults]
    return [sentence.removeprefix(f"{store.root}/") for sentence in sentences]


@pytest.mark.parametrize(("format_", "options"), FORMATS)
def test_a_good_export_has_no_faults_at_any_depth(tmp_path: Path, format_: str, options: dict[str, object]) -> None:
    store = export(tmp_path, format_, **options)
    assert is_export(store)
    for depth in (QUICK, FULL, DEEP, Depth(labels=True, share=0.2)):
        assert list_faults(store, depth) == []


@pytest.mark.parametrize(("format_", "options"), FORMATS)
def test_counts_of_every_format_are_compared(tmp_path: Path, format_: str, options: dict[str, object]) -> None:
    store = export(tmp_path, format_, **options)
    document = json.loads((store.root / "dataset.json").read_bytes())
    counts = document["splits"]["train"]
    document["splits"]["train"] = counts | {"objects": counts["objects"] + 1, "runs": counts["runs"] + 2}
    (store.root / "dataset.json").write_text(json.dumps(document))
    runs, objects = counts["runs"], counts["objects"]
    assert list_faults(store, DEEP)[1:] == [
        f"dataset.json: expected {runs + 2:,} runs in split train, found {runs:,} in its files; {WRITES}",
        f"dataset.json: expected {objects + 1:,} objects in split train, found {objects:,} in its files; {WRITES}",
    ]


def test_an_export_without_runs(tmp_path: Path) -> None:
    store = export(tmp_path, "coco", seeds=())
    assert list_faults(store, DEEP) == []


def test_a_file_that_is_changed(coco: FolderStore) -> None:
    file = next((coco.root / "images").rglob("*.png"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    (sentence,) = list_faults(coco, FULL)
    assert sentence.startswith(f"{file.relative_to(coco.root)}: expected sha256 ")
    assert sentence.endswith(f"…; {WRITES}")
    assert list_faults(coco, QUICK) == []


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_file_that_is_missing(coco: FolderStore, depth: Depth) -> None:
    (coco.root / "particles.parquet").unlink()
    sentence = f"particles.parquet: expected the file that checksums.sha256 lists, found nothing; {WRITES}"
    assert list_faults(coco, depth) == [sentence]


def test_checksums_that_are_missing_or_no_list(coco: FolderStore) -> None:
    file = coco.root / "checksums.sha256"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([b"a" * 64 + b"  ../secret\n", *lines[1:], b"cut"]))
    first, last = list_faults(coco, QUICK)
    assert first.startswith("checksums.sha256: expected sha256 and path in line 1, found 'aaaa")
    assert last == f"checksums.sha256: expected sha256 and path in line {len(lines) + 1}, found 'cut'; {WRITES}"
    file.unlink()
    assert list_faults(coco, FULL) == [f"checksums.sha256: expected the list of files, found nothing; {WRITES}"]


def test_an_export_that_is_not_finished(coco: FolderStore) -> None:
    (coco.root / ".export").mkdir()
    (coco.root / ".export" / "export.json").write_text("{}")
    (coco.root / "dataset.json").unlink()
    (coco.root / "checksums.sha256").unlink()
    assert is_export(coco)
    assert list_faults(coco, QUICK) == [
        f"{coco.root}: expected a finished export, found an unfinished one; the same call continues it",
        f"dataset.json: expected the document of an export, found nothing; {WRITES}",
    ]


def test_annotations_of_no_image(coco: FolderStore) -> None:
    file = next(each for each in (coco.root / "annotations").iterdir() if b'"iscrowd"' in each.read_bytes())
    lines = file.read_text().split("\n")
    del lines[1:3]
    start = lines.index('],"annotations":[')
    lines[start + 1] = lines[start + 1].replace('"category_id":', '"category_id":7')
    file.write_text("\n".join(lines))
    checksums = coco.root / "checksums.sha256"
    name = str(file.relative_to(coco.root))
    kept = [line for line in checksums.read_text().splitlines() if not line.endswith(name)]
    checksums.write_text("\n".join([*kept, f"{sha256(file.read_bytes()).hexdigest()}  {name}", ""]))
    faults = "\n".join(list_faults(coco, DEEP))
    assert f"{name}: expected annotations of images in the document, found some of image " in faults
    assert f"{name}: expected category_id of a category in the document, found 7" in faults


def test_the_document_of_an_unknown_format(coco: FolderStore) -> None:
    file = coco.root / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | {"format": "voc"}))
    faults = list_faults(coco, DEEP)
    assert "dataset.json: expected the document of an export, found one that cannot be read" in faults[0]


def test_a_dataset_is_no_export(tmp_path: Path) -> None:
    render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=(0,)))
    assert not is_export(FolderStore(tmp_path / "dataset"))
    assert not is_export(FolderStore(tmp_path / "nothing"))
