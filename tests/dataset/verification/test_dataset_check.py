"""Every kind of damage to a dataset, made for real: the sentence that names it, and what finds it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from damaged_datasets import (
    DEEP,
    FULL,
    QUICK,
    RENDERS,
    WRITES,
    find_document,
    find_run,
    flip_byte,
    list_faults,
    run_file,
)
from disc_datasets import DiscSweep, pack_discs, render_discs

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.documents.document import DocumentError
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.dataset_check import check_dataset
from synth_dataset.verification.depth import Depth


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP, Depth(share=0.3)])
def test_a_good_dataset_has_no_faults_at_any_depth(source: DatasetSource, depth: Depth) -> None:
    assert list_faults(source, depth) == []
    for share in (0.5, 1.0):
        source = pack_discs(source, share)
        assert list_faults(source, depth) == []


def test_a_dataset_without_runs_has_no_faults(tmp_path: Path) -> None:
    source = render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=()))
    for depth in (QUICK, FULL, DEEP, Depth(share=0.01)):
        assert list_faults(source, depth) == []


def test_a_file_outside_the_folder_is_not_read(source: DatasetSource) -> None:
    files = [source.dataset.files[0].model_copy(update={"path": "../../../../../secret"})]
    foreign = replace(source, dataset=source.dataset.model_copy(update={"files": files}))
    with pytest.raises(DocumentError, match=r"'../../../../../secret' is no path in a dataset"):
        list(check_dataset(foreign, FULL))


def test_what_is_looked_at_is_counted(source: DatasetSource) -> None:
    outcomes = list(check_dataset(source, FULL))
    assert sum(one.run is not None for one in outcomes) == 6
    # Manifest and six files of each run, both copies of dataset.json, and the documents beside it.
    assert sum(one.files for one in outcomes) == 6 * 7 + 2 + len(source.dataset.files)
    read = sum(file.stat().st_size for file in (source.store.root / "runs").rglob("*") if file.is_file())
    read += sum(file.bytes for file in source.dataset.files)
    assert sum(one.bytes for one in outcomes) == read
    assert sum(one.bytes for one in check_dataset(source, QUICK)) == 0
    for packed in (pack_discs(source, 0.5), pack_discs(source)):
        again = list(check_dataset(packed, FULL))
        assert [(one.run, one.files, one.bytes) for one in again] == [
            (one.run, one.files, one.bytes) for one in outcomes
        ]


def test_a_flipped_byte(source: DatasetSource) -> None:
    flip_byte(find_run(source) / "real.png")
    (sentence,) = list_faults(source, FULL)
    assert sentence.startswith(f"{run_file(source, 'real.png')}: expected sha256 ")
    assert sentence.endswith(f"…; {RENDERS}")
    assert list_faults(source, QUICK) == []


@pytest.mark.parametrize("depth", [QUICK, FULL])
def test_a_file_that_is_cut(source: DatasetSource, depth: Depth) -> None:
    file = find_run(source) / "instances.png"
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:20])
    name = run_file(source, "instances.png")
    assert list_faults(source, depth) == [f"{name}: expected {size:,} bytes, found 20 bytes; {RENDERS}"]


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_file_that_is_missing(source: DatasetSource, depth: Depth) -> None:
    file = find_run(source) / "particles.parquet"
    size = file.stat().st_size
    file.unlink()
    name = run_file(source, "particles.parquet")
    assert list_faults(source, depth) == [f"{name}: expected {size:,} bytes, found nothing; {RENDERS}"]


def test_a_file_that_cannot_be_read(source: DatasetSource) -> None:
    file = find_run(source) / "real.png"
    file.unlink()
    file.mkdir()
    sentence = f"expected a readable file, found one that cannot be read (Is a directory); {RENDERS}"
    assert list_faults(source, FULL) == [f"{run_file(source, 'real.png')}: {sentence}"]


@pytest.mark.parametrize("depth", [QUICK, FULL, DEEP])
def test_a_manifest_that_is_missing(source: DatasetSource, depth: Depth) -> None:
    key = find_run(source).parent.name
    (source.store.root / f"manifests/{key[:2]}/{key}.json").unlink()
    sentence = f"expected the manifest of run 1, found nothing; {RENDERS}"
    assert list_faults(source, depth) == [f"manifests/{key[:2]}/{key}.json: {sentence}"]


def test_a_manifest_that_is_cut(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    file.write_bytes(file.read_bytes()[:100])
    (sentence,) = list_faults(source, FULL)
    assert sentence.startswith(f"manifests/{key[:2]}/{key}.json: expected the manifest of run 1, found one that cannot")
    assert sentence.endswith(f"; {RENDERS}")


def test_a_manifest_that_differs_from_the_index(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    manifest = json.loads(file.read_bytes())
    file.write_text(json.dumps(manifest | {"seed": 99, "c8": "0" * 8}))
    faults = list_faults(source, QUICK)
    address = f"manifests/{key[:2]}/{key}.json"
    assert f"{address}: expected seed 0, as in the index, found 99; {RENDERS}" in faults
    content = f"expected files with the content id 00000000, found {manifest['c8']}; {RENDERS}"
    assert f"{address}: {content}" in faults


def test_a_stored_recipe_that_is_damaged_is_said_once(tmp_path: Path, source: DatasetSource) -> None:
    manifests = [json.loads(path.read_bytes()) for path in (source.store.root / "manifests").rglob("*.json")]
    reference = source.store.keep_recipe(manifests[0]["recipe"], manifests[0]["recipe"])
    for manifest in manifests:
        key = manifest["key"]
        path = source.store.root / f"manifests/{key[:2]}/{key}.json"
        path.write_text(json.dumps(manifest | {"recipe": reference.model_dump()}))
    assert list_faults(source, QUICK) == []
    path = source.store.root / f"recipes/{reference.sha256}.json"
    path.write_bytes(b"{}")
    expected = f"{path.relative_to(source.store.root)}: expected a recipe with sha256 {reference.sha256[:16]}…, found "
    (sentence,) = list_faults(source, QUICK)
    assert sentence == f"{expected}44136fa355b3678a…; synth verify --repair writes it again"
    path.unlink()
    assert list_faults(source, FULL) == [f"{expected}nothing; synth verify --repair writes it again"]


@pytest.mark.parametrize("name", ["index.parquet", "particles.parquet", "coco.json", "index.html"])
def test_a_document_of_the_dataset_that_is_missing(source: DatasetSource, name: str) -> None:
    file = find_document(source, name)
    size = file.stat().st_size
    file.unlink()
    for depth in (QUICK, FULL):
        sentence = f"{name}: expected {size:,} bytes, found nothing; {WRITES}"
        assert list_faults(source, depth)[0] == sentence


def test_runs_are_checked_without_an_index_too(source: DatasetSource) -> None:
    index, picture = find_document(source, "index.parquet"), find_run(source) / "real.png"
    size, content = picture.stat().st_size, index.read_bytes()
    index.write_bytes(b"no Parquet")
    picture.unlink()
    name = picture.relative_to(source.store.root)
    lost = f"{name}: expected {size:,} bytes, found nothing; {RENDERS}"
    expected = f"index.parquet: expected {len(content):,} bytes, found 10 bytes; {WRITES}"
    assert list_faults(source, FULL) == [expected, lost]
    index.write_bytes(bytes(len(content)))
    found = "expected a Parquet file, found a file that cannot be read (ArrowInvalid: Parquet magic bytes not found"
    assert list_faults(source, QUICK)[0].startswith(f"index.parquet: {found}")


def test_the_copy_of_dataset_json(source: DatasetSource) -> None:
    find_document(source, "dataset.json").write_text("{}")
    sentence = f"expected the content of sweeps/local/discs/dataset.json, found another document; {WRITES}"
    assert list_faults(source, QUICK) == [f"dataset.json: {sentence}"]


def test_a_row_of_the_index_that_is_changed(source: DatasetSource) -> None:
    file = find_document(source, "index.parquet")
    table = pq.read_table(file)
    visible = table["visible"].to_pylist()
    changed = [visible[0], visible[1] + 1, *visible[2:]]
    place = table.schema.get_field_index("visible")
    pq.write_table(table.set_column(place, "visible", [changed]), file)
    faults = list_faults(source, FULL)
    total = sum(visible)
    assert f"index.parquet: expected {total:,} visible particles in all, found {total + 1:,}; {WRITES}" in faults
    row = f"expected visible {visible[1]} of run 1, as in its manifest, found {visible[1] + 1}; {WRITES}"
    assert f"index.parquet: {row}" in faults


def test_a_row_of_the_index_that_is_gone(source: DatasetSource) -> None:
    file = find_document(source, "index.parquet")
    pq.write_table(pq.read_table(file).slice(0, 5), file)
    faults = list_faults(source, QUICK)
    assert f"index.parquet: expected rows of 6 runs, found 5; {WRITES}" in faults
    root = f"index.parquet: expected the root digest {source.dataset.root[:16]}…, found "
    assert any(fault.startswith(root) for fault in faults)


def test_a_row_of_the_pooled_table_that_is_gone(source: DatasetSource) -> None:
    file = find_document(source, "particles.parquet")
    pq.write_table(pq.read_table(file).slice(1), file)
    faults = list_faults(source, DEEP)
    assert f"particles.parquet: expected 4 rows of run 1, as in its own table, found 3; {WRITES}" in faults


def test_entries_of_coco_that_are_gone_or_too_many(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    lines = file.read_text().split("\n")
    start = lines.index('],"annotations":[')
    gone = json.loads(lines[start + 1].rstrip(","))
    added = json.dumps(gone | {"particle_id": 99}, separators=(",", ":"))
    file.write_text("\n".join([*lines[: start + 1], f"{added},", *lines[start + 2 :]]))
    run, particle = gone["image_id"], gone["particle_id"]
    faults = list_faults(source, DEEP)
    assert f"coco.json: expected annotations of id {particle} of run {run}, found none; {WRITES}" in faults
    extra = f"expected only particles of run {run} in its annotations, found id 99 too; {WRITES}"
    assert f"coco.json: {extra}" in faults


def test_an_image_of_coco_that_is_gone_and_a_category(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    lines = file.read_text().split("\n")
    del lines[1]
    lines[0] = lines[0].replace('"name":"Bead"', '"name":"Bean"')
    file.write_text("\n".join(lines))
    faults = list_faults(source, DEEP)
    assert f"coco.json: expected an image of run 0, found none; {WRITES}" in faults
    categories = "expected categories {1: 'Bead', 2: 'Flake'}, found {1: 'Bean', 2: 'Flake'}"
    assert f"coco.json: {categories}; {WRITES}" in faults


def test_a_coco_document_that_another_program_wrote(source: DatasetSource) -> None:
    file = find_document(source, "coco.json")
    file.write_text(json.dumps(json.loads(file.read_bytes()), indent=1))
    sentence = "expected an image of each run, found a file that cannot be read"
    assert any(sentence in fault for fault in list_faults(source, DEEP))


def test_a_manifest_that_leads_out_of_the_store(source: DatasetSource) -> None:
    key = find_run(source).parent.name
    file = source.store.root / f"manifests/{key[:2]}/{key}.json"
    manifest = json.loads(file.read_bytes())
    manifest["files"][0]["path"] = "../../secret"
    file.write_text(json.dumps(manifest))
    (sentence,) = list_faults(source, QUICK)
    found = "found one that cannot be read ('../../secret' is no path in a dataset)"
    assert sentence == f"{file.relative_to(source.store.root)}: expected the manifest of run 1, {found}; {RENDERS}"


def test_a_sample_is_the_same_at_every_call(tmp_path: Path) -> None:
    source = render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=tuple(range(20))))
    samples = [
        [checked.run for checked in check_dataset(source, Depth(contents=False, share=0.1)) if checked.run is not None]
        for _ in range(2)
    ]
    assert samples[0] == samples[1]
    assert len(samples[0]) == 4


def test_a_dataset_of_an_earlier_release(source: DatasetSource) -> None:
    """Without hashes of documents, root digest, categories and new columns of the index."""
    file = find_document(source, "index.parquet")
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(["width", "height", "pixel_size", "label_digest", "split"]), file)
    find_document(source, "particles.parquet").unlink()
    document = json.loads(find_document(source, "dataset.json").read_bytes())
    for name in ("root", "categories", "visible", "recipe", "engine_version"):
        del document[name]
    document["files"] = ["coco.json", "index.html", "index.parquet"]
    for path in (find_document(source, "dataset.json"), source.store.root / "sweeps/local/discs/dataset.json"):
        path.write_text(json.dumps(document))
    for depth in (QUICK, FULL, DEEP):
        assert list_faults(source, depth) == []
    file.unlink()
    assert list_faults(source, FULL)[0] == (
        f"index.parquet: expected the file that dataset.json names, found nothing; {WRITES}"
    )
