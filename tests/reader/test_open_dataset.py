"""A dataset is a sequence of runs; also the tests of the wheel, so they import nothing else of the project."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import attrgetter, getitem
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from synth_reader import Dataset, DatasetError, decode_mask, open_dataset

Truth = list[dict[str, Any]]


@pytest.fixture(params=["one", "packed", "mixed"])
def dataset(stores: Path, request: pytest.FixtureRequest) -> Dataset:
    """The same runs as files, in shards, and some of both."""
    return open_dataset(stores / request.param)


@pytest.fixture
def copied(stores: Path, tmp_path: Path) -> Path:
    """A store that a test may damage."""
    return Path(shutil.copytree(stores / "one", tmp_path / "store"))


def find_one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def invert_byte(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 0xFF
    return bytes(changed)


def expect_error(words: str, address: Path | str, *arguments: Any, **options: Any) -> None:
    with pytest.raises(DatasetError, match=words):
        open_dataset(address, *arguments, **options)


def test_a_dataset_has_all_runs_in_their_order(dataset: Dataset, truth: Truth) -> None:
    assert len(dataset) == len(truth)
    assert [run.meta.run for run in dataset] == [run["run"] for run in truth]
    assert dataset[-1].meta.key == truth[-1]["key"]
    assert [run.meta.run for run in dataset[1:6:2]] == [1, 3, 5]


def test_a_place_without_a_run_is_an_error_that_says_how_many_there_are(dataset: Dataset) -> None:
    with pytest.raises(IndexError, match=r"^discs has 12 runs, no 12; places count from 0$"):
        dataset[12]
    with pytest.raises(TypeError, match=r"^discs\['a'\]: a place is a number or a slice"):
        dataset["a"]  # type: ignore[call-overload]


def test_a_run_has_picture_ids_and_particles(dataset: Dataset, truth: Truth) -> None:
    for run, known in zip(dataset, truth, strict=True):
        assert run.image.dtype == np.uint8
        assert run.instances.dtype == np.uint16
        assert run.image.tolist() == known["real"]
        assert run.instances.tolist() == known["instances"]
        assert run.particles["id"].to_pylist() == known["ids"]


def test_a_run_has_masks_that_overlap_and_agglomerates(stores: Path) -> None:
    (run,) = open_dataset(stores / "overlapping")
    with np.load(stores / "masks.npz") as expected:
        masks = {note["id"]: decode_mask(note["visible"]) for note in run.annotations}
        assert [str(number) for number in masks] == [name for name in expected.files if name != "agglomerates"]
        assert all((mask == expected[str(number)]).all() for number, mask in masks.items())
        assert {mask.dtype.name for mask in masks.values()} == {"bool"}
        assert (run.agglomerates == expected["agglomerates"]).all()
        assert run.agglomerates.dtype == np.uint16
    overlapping = next(note for note in run.annotations if note["overlaps"])
    assert (masks[overlapping["id"]] & masks[overlapping["overlaps"][0]]).any()
    assert sum(masks.values()).max() > 1  # type: ignore[union-attr]


def test_masks_without_a_pixel_and_of_all() -> None:
    assert not decode_mask({"size": [3, 4], "counts": "<"}).any()
    assert decode_mask({"size": [3, 4], "counts": "0<"}).all()


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [3, 4], "counts": "<0o"},
        {"size": [3, 4], "counts": [0, 12]},
        {"size": [3, 4]},
        {"size": [3], "counts": "<"},
    ],
)
def test_a_mask_that_is_none_is_an_error(mask: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match=r"^a mask "):
        decode_mask(mask)


def test_a_run_without_agglomerates_and_damaged_annotations(copied: Path) -> None:
    run = open_dataset(copied)[1]
    with pytest.raises(DatasetError, match=r"^run 1 has no agglomerates; its recipe has no step AgglomerateParticles$"):
        _ = run.agglomerates
    file = find_one(copied, f"runs/*/{run.meta.key}/*/annotations.json")
    file.write_text("{}")
    with pytest.raises(DatasetError, match=r"annotations\.json: has no particles; render its run again$"):
        _ = run.annotations


def test_arrays_belong_to_the_caller(dataset: Dataset) -> None:
    run = dataset[0]
    run.image[0, 0] = run.instances[0, 0] = 7
    assert dataset[0].image[0, 0] == dataset[0].instances[0, 0] == 0


def test_the_meta_data_of_a_run_are_those_of_the_index(dataset: Dataset, truth: Truth) -> None:
    for run, known in zip(dataset, truth, strict=True):
        meta = run.meta
        assert (meta.key, meta.seed, meta.split) == (known["key"], known["seed"], known["split"])
        assert (meta.height, meta.width) == run.image.shape
        assert (meta.particles, meta.visible) == (len(known["ids"]), known["visible"])
        assert meta.pixel_size == 0.1
        assert meta.overrides == {axis: known[axis] for axis in dataset.axes}
    assert dataset.axes == ("initial_runtime_state.seed", "blueprints.particles.Bead.number")


def test_a_split_has_its_runs(dataset: Dataset, stores: Path, truth: Truth) -> None:
    assert dataset.splits == {split: sum(run["split"] == split for run in truth) for split in ("test", "train")}
    train = open_dataset(stores / "one", split="train")
    assert [run.meta.key for run in train] == [run["key"] for run in truth if run["split"] == "train"]
    assert train.splits == {"train": len(train)}


def test_an_unknown_split_is_an_error_that_names_those_there_are(stores: Path) -> None:
    expect_error(r"one: discs has no split 'val'; its splits: test, train$", stores / "one", split="val")
    expect_error(r"two: more has no split 'train'; it has no splits$", stores / "two", "more", split="train")


def test_dataset_json_is_there(dataset: Dataset) -> None:
    assert dataset.info["title"] == "Discs"
    assert [category["name"] for category in dataset.info["categories"]] == ["Bead", "Flake"]


def test_a_dataset_without_runs_is_empty(stores: Path) -> None:
    assert list(open_dataset(stores / "none")) == []


def test_of_several_datasets_a_name_chooses_one(stores: Path) -> None:
    expect_error(r"two: holds 2 datasets; choose by `name`: local/discs, local/more$", stores / "two")
    expect_error(r"two: holds no dataset 'disc'; its sweeps: local/discs, local/more$", stores / "two", "disc")
    assert len(open_dataset(stores / "two", "more")) == 1
    assert len(open_dataset(stores / "two", "local/more")) == 1


def test_a_folder_without_a_dataset_is_an_error(stores: Path) -> None:
    words = r"holds no dataset; give the folder or bucket that synth render or a sweep wrote$"
    expect_error(words, stores / "empty")
    expect_error(words, stores / "absent")


def test_an_export_is_an_error_with_the_line_that_loads_it(stores: Path) -> None:
    expect_error(r"export: is an export; load it in its folder with: from pycocotools", stores / "export")


def test_a_version_is_an_error_with_the_line_that_loads_its_first_export(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"version": "3", "exports": [{"loading": "load('coco')"}]}))
    expect_error(r"is an export; load it in its folder with: load\('coco'\)$", tmp_path)


def test_the_folder_of_a_dataset_in_a_store_is_an_error(stores: Path) -> None:
    expect_error(r"holds no dataset; give the folder or bucket", stores / "one" / "sweeps" / "local" / "discs")


def test_an_address_of_another_kind_is_an_error() -> None:
    expect_error(r"^gs://bucket: is neither a folder nor s3://BUCKET/PREFIX; give `filesystem`", "gs://bucket")


def test_a_filesystem_of_pyarrow_reads_other_stores(stores: Path) -> None:
    tree = fs.SubTreeFileSystem(stores.as_posix(), fs.LocalFileSystem())
    assert len(open_dataset("one", filesystem=tree)) == len(open_dataset(stores / "one"))


def test_workers_of_a_loader_read_runs(dataset: Dataset, truth: Truth) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        runs = list(workers.map(getitem, [dataset] * 3, range(3)))
        pictures = list(workers.map(attrgetter("instances"), runs))
    assert [ids.tolist() for ids in pictures] == [run["instances"] for run in truth[:3]]


def test_a_pickled_run_is_the_same_run(dataset: Dataset) -> None:
    run = pickle.loads(pickle.dumps(dataset[1]))
    assert run.meta == dataset[1].meta
    assert np.array_equal(run.instances, dataset[1].instances)


def test_files_are_read_when_they_are_asked_for(copied: Path) -> None:
    runs = list(open_dataset(copied))
    shutil.rmtree(copied / "runs")
    assert runs[0].meta.seed == 0
    with pytest.raises(DatasetError, match=r"/instances.png: a file of run 0 is missing; render the sweep again"):
        _ = runs[0].instances


def test_a_run_with_files_of_its_own_goes_before_the_packed_one(stores: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(stores / "packed", tmp_path / "store"))
    run = open_dataset(copied)[0]
    for folder in ("manifests", "runs"):
        shutil.copytree(stores / "one" / folder, copied / folder, dirs_exist_ok=True)
    picture = find_one(copied, f"runs/*/{run.meta.key}/*/instances.png")
    picture.write_bytes(find_one(copied, f"runs/*/{open_dataset(copied)[3].meta.key}/*/instances.png").read_bytes())
    assert run.instances.tolist() == open_dataset(copied)[3].instances.tolist()


def test_a_run_rendered_again_with_other_files_is_packed_as_long_as_the_dataset_names_the_packed_ones(
    stores: Path, tmp_path: Path
) -> None:
    """Another sweep has rendered it, and has not changed this dataset."""
    copied = Path(shutil.copytree(stores / "packed", tmp_path / "store"))
    run = open_dataset(copied)[0]
    manifest = f"manifests/{run.meta.key[:2]}/{run.meta.key}.json"
    document = json.loads((stores / "one" / manifest).read_text())
    (copied / manifest).parent.mkdir(parents=True, exist_ok=True)
    (copied / manifest).write_text(json.dumps({**document, "c8": "01234567", "files": document["files"][:1]}))
    assert run.manifest == document
    assert run.instances.tolist() == open_dataset(stores / "one")[0].instances.tolist()


def test_a_packed_run_whose_tar_file_is_cut_or_gone_is_missing(stores: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(stores / "packed", tmp_path / "store"))
    dataset = open_dataset(copied)
    for tar in (copied / "shards").glob("*.tar"):
        tar.write_bytes(tar.read_bytes()[:-512])
    with pytest.raises(DatasetError, match=r"/instances.png: a file of run 0 is missing; render the sweep again"):
        _ = open_dataset(copied)[0].instances
    shutil.rmtree(copied / "shards")
    with pytest.raises(DatasetError, match=r"shards/[0-9a-f]+.tar: a file of run 0 is missing; render the sweep again"):
        _ = dataset[0].instances


def test_a_damaged_index_of_a_shard_is_an_error_that_names_it(stores: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(stores / "packed", tmp_path / "store"))
    for index in (copied / "shards").glob("*.parquet"):
        whole = index.read_bytes()
    for damaged in (whole[:-8], invert_byte(whole, -100)):
        index.write_bytes(damaged)
        expect_error(r"shards/[0-9a-f]+.parquet: is not the index of a shard; synth verify of the store says", copied)


def test_a_damaged_picture_is_an_error_that_names_it(copied: Path) -> None:
    run = open_dataset(copied)[0]
    path = find_one(copied, f"runs/*/{run.meta.key}/*/instances.png")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DatasetError, match=r"/instances.png: is not a PNG that can be read; render its run again$"):
        _ = run.instances


def test_a_damaged_particle_table_is_an_error_that_names_it(copied: Path) -> None:
    run = open_dataset(copied)[0]
    path = find_one(copied, f"runs/*/{run.meta.key}/*/particles.parquet")
    path.write_bytes(invert_byte(path.read_bytes(), -20))
    with pytest.raises(DatasetError, match=r"/particles.parquet: is not Parquet; render its run again$"):
        _ = run.particles


def test_a_run_without_a_real_image_names_its_pictures(copied: Path) -> None:
    run = open_dataset(copied)[0]
    path = find_one(copied, f"manifests/*/{run.meta.key}.json")
    manifest = json.loads(path.read_text())
    manifest["files"] = [file for file in manifest["files"] if file["path"] != "real.png"]
    path.write_text(json.dumps(manifest | {"pictures": ["real.png", "depth_map.png"]}))
    with pytest.raises(DatasetError, match=r"^run 0 has no real image; pictures that `read_picture` reads: depth_map"):
        _ = run.image
    assert run.read_picture("depth_map.png").dtype == np.uint16


def change_index(store: Path, change: Any) -> None:
    index = find_one(store, "sweeps/local/discs/*/*/index.parquet")
    pq.write_table(change(pq.read_table(index)), index)


def test_a_dataset_of_a_later_format_is_an_error(copied: Path) -> None:
    change_index(
        copied, lambda index: index.rename_columns([name.replace("folder", "shard") for name in index.column_names])
    )
    expect_error(r"index.parquet: has no column folder; a later release has written it; install a later", copied)


def test_a_dataset_of_an_earlier_release_has_no_splits(copied: Path) -> None:
    change_index(copied, lambda index: index.drop_columns(["split", "width", "height", "pixel_size", "label_digest"]))
    dataset = open_dataset(copied)
    assert dataset.splits == {}
    assert (dataset[0].meta.split, dataset[0].meta.width) == (None, None)


def test_no_document_leads_out_of_the_store(copied: Path) -> None:
    folder = pa.array(["../../somewhere"] * 12)
    change_index(copied, lambda index: index.set_column(index.column_names.index("folder"), "folder", folder))
    with pytest.raises(DatasetError, match=r"leads out of the store"):
        _ = open_dataset(copied)[0].instances


def test_damaged_documents_are_errors_that_name_them(copied: Path) -> None:
    index = find_one(copied, "sweeps/local/discs/*/*/index.parquet")
    for damaged in (b"PAR1", invert_byte(index.read_bytes(), -20)):
        index.write_bytes(damaged)
        expect_error(r"index.parquet: is not Parquet", copied)
    index.unlink()
    expect_error(r"index.parquet: is missing; synth gallery writes", copied)
    (copied / "sweeps/local/discs/dataset.json").write_text("{")
    expect_error(r"discs/dataset.json: is not JSON", copied)


def test_the_reader_imports_nothing_else_of_the_project() -> None:
    code = "import sys, synth_reader; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    imported = printed.stdout.split()
    assert {name for name in imported if name.startswith("synth_")} <= {"synth_reader"}
    assert not {"bpy", "cv2", "pydantic", "torch"} & set(imported)


def test_fibres_have_keypoints(stores: Path) -> None:
    (run,) = open_dataset(stores / "fibres")
    assert run.keypoints
    for number, points in run.keypoints.items():
        assert points.shape == (40, 3)
        columns, rows = np.floor(points[:, :2]).astype(int).T
        assert (run.instances[rows, columns] == number).any()
        assert points[:, 2].tolist() == [2] * 39 + [1]
    assert not open_dataset(stores / "one")[1].keypoints
