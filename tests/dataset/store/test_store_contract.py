"""What a folder, MinIO and SeaweedFS have in common: the contract that plan, worker and finalize stand on."""

from __future__ import annotations

import time

import numpy as np
import pytest

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.store import s3_listing, s3_store
from synth_dataset.store.base import Child, StorageUsage
from synth_dataset.store.s3_store import MIN_LISTED_RUNS, PART_BYTES

KEY = "ab" * 32


@pytest.fixture
def store(each_store):
    return each_store


def test_a_file_is_read_as_it_was_written(store):
    store.write("sweeps/a/plan.json", b"{}")
    assert store.read("sweeps/a/plan.json") == b"{}"
    store.write("sweeps/a/plan.json", iter([b"in ", b"pieces"]))
    assert store.read("sweeps/a/plan.json") == b"in pieces"
    assert store.read_size("sweeps/a/plan.json") == 9
    assert store.exists("sweeps/a/plan.json")
    assert not store.exists("sweeps/a")


def test_a_new_file_replaces_none(store, monkeypatch):
    assert store.write_new("datasets/a/dataset.json", b"first")
    assert not store.write_new("datasets/a/dataset.json", b"second")
    monkeypatch.setattr(type(store), "exists", lambda *_: False)  # another process was as fast
    assert not store.write_new("datasets/a/dataset.json", b"third")
    assert store.read("datasets/a/dataset.json") == b"first"


def test_a_part_ends_at_the_end_of_the_file(store):
    store.write("keys.bin", b"0123456789")
    assert [store.read_part("keys.bin", start, 4) for start in (0, 4, 8, 10)] == [b"0123", b"4567", b"89", b""]


def test_a_file_that_is_not_there_is_named(store):
    for read in (store.read, store.read_size, lambda path: store.read_part(path, 0, 4)):
        with pytest.raises(FileNotFoundError) as caught:
            read("runs/nothing")
        assert caught.value.filename == store.format_uri("runs/nothing")


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES])
def test_files_of_any_size_arrive_whole(store, tmp_path, size):
    content = np.random.default_rng(size).bytes(size)
    store.write("scratch-free/large.blend", content)
    assert store.read("scratch-free/large.blend") == content


@pytest.mark.parametrize("files", [2, 3, 7])
def test_a_listing_of_several_pages_has_every_file_once(store, monkeypatch, files):
    monkeypatch.setattr(s3_listing, "PAGE_SIZE", 3)
    paths = [f"sweeps/a/{number} + 1 & ä<ü>.json" for number in range(files)]
    for path in paths:
        store.write(path, b"four")
    start = time.time()
    usages = dict(store.list_usages("sweeps/a"))
    assert sorted(usages) == paths
    assert {usage.bytes for usage in usages.values()} == {4}
    assert all(abs(usage.newest - start) < 600 for usage in usages.values()), "seconds since the epoch"


def test_a_listing_distinguishes_files_and_folders(store):
    for path in ("sweeps/a/dataset.json", "sweeps/a/p1/t1/plan.json", "sweeps/a/p1/t2/plan.json", "sweeps/ab/x"):
        store.write(path, b"x")
    assert sorted(store.list_children("sweeps/a")) == [Child("dataset.json", False), Child("p1", True)]
    assert sorted(store.iterate_files("sweeps/a")) == [
        "sweeps/a/dataset.json",
        "sweeps/a/p1/t1/plan.json",
        "sweeps/a/p1/t2/plan.json",
    ]
    assert list(store.list_children("sweeps/none")) == []
    assert list(store.iterate_files("sweeps/none")) == []


def test_usage_is_of_a_file_or_of_all_below_a_folder(store):
    store.write("runs/a/one", b"123")
    store.write("runs/a/b/two", b"45678")
    store.write("runs/ab", b"not below")
    assert store.measure_usage("runs/a").bytes == 8
    assert store.measure_usage("runs/a/one").bytes == 3
    assert store.measure_usage("runs/a").newest > 1.7e9
    assert store.measure_usage("runs/none") == StorageUsage(0, 0.0)


def test_removal_is_complete_and_ignores_missing_files(store):
    for path in ("runs/a/one", "runs/a/b/two", "runs/ab", "manifests/x"):
        store.write(path, b"x")
    for _ in range(2):
        store.remove_folder("runs/a")
        store.remove_files(["manifests/x"])
        assert [*store.iterate_files("runs"), *store.iterate_files("manifests")] == ["runs/ab"]


@pytest.mark.parametrize("min_listed_runs", [1000, 1])
def test_folders_of_runs_are_removed_with_all_their_files_and_no_others(store, monkeypatch, min_listed_runs):
    monkeypatch.setattr(s3_store, "MIN_LISTED_RUNS", min_listed_runs)
    keys = [f"{first}{other}" * 16 for first, other in (("ab", "00"), ("ab", "01"), ("ab", "02"), ("cd", "00"))]
    for key in keys:
        for c8 in ("1" * 8, "2" * 8):
            store.write(f"{layout.run_path(key, c8)}/real.png", b"x")
            store.write(f"{layout.run_path(key, c8)}/stl/00001.stl", b"x")
    removed = []
    remove_files = store.remove_files
    monkeypatch.setattr(
        store, "remove_files", lambda paths: remove_files(removed.append(files := list(paths)) or files)
    )
    store.remove_run_folders(
        [layout.run_path(keys[0], "1" * 8), layout.files_path(keys[1]), layout.files_path(keys[3])]
    )
    left = {path.rpartition("/")[0].removesuffix("/stl") for path in store.iterate_files("runs")}
    assert left == {layout.run_path(keys[0], "2" * 8), *(layout.run_path(keys[2], c8 * 8) for c8 in "12")}
    if isinstance(store, s3_store.S3Store):
        assert sorted(map(len, removed)) == ([4, 6] if min_listed_runs == 1 else [2, 4, 4])


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 1])
def test_a_local_file_becomes_a_file_of_the_store(store, tmp_path, size):
    (tmp_path / "file").write_bytes(b"x" * size)
    store.write_file("sweeps/a", tmp_path / "file")
    assert store.read("sweeps/a") == b"x" * size


def test_a_committed_run_is_found_with_its_files(store, put):
    assert not store.has_run(KEY)
    manifest = put(KEY)
    assert store.has_run(KEY)
    assert store.read_manifest(KEY) == manifest
    assert [file.path for file in manifest.files] == ["real.png", "stl/00001.stl"]
    assert sorted(store.iterate_files("runs")) == [
        f"runs/ab/{KEY}/{manifest.c8}/{file.path}" for file in manifest.files
    ]
    assert list(store.iterate_files("manifests")) == [f"manifests/ab/{KEY}.json"]
    assert list(store.iterate_keys()) == [KEY]


def test_two_workers_on_one_run_are_harmless(store, put):
    first, same, other = put(KEY), put(KEY), put(KEY, b"other device")
    assert first.c8 == same.c8 != other.c8
    assert store.read_manifest(KEY) == other
    for manifest, content in ((first, b"pixels"), (other, b"other device")):
        assert store.read(f"{layout.run_path(KEY, manifest.c8)}/real.png") == content


@pytest.mark.parametrize("text", [b"", b"{", b'{"key": 1}'])
def test_a_manifest_that_does_not_parse_names_its_file(store, text):
    store.write(layout.manifest_path(KEY), text)
    with pytest.raises(DocumentError, match=rf"{store.format_uri(layout.manifest_path(KEY))}: "):
        store.read_manifest(KEY)


def test_a_run_without_a_manifest_does_not_exist(store, put):
    store.write(f"{layout.run_path(KEY, '0' * 8)}/real.png", b"half")
    assert not store.has_run(KEY)
    with pytest.raises(KeyError):
        store.read_manifest(KEY)


@pytest.mark.parametrize("asked", [5, MIN_LISTED_RUNS + 1])
def test_which_of_many_runs_exist(store, asked):
    keys = np.random.default_rng(asked).bytes(asked * layout.KEY_BYTES)
    asked_for = np.frombuffer(keys, f"S{layout.KEY_BYTES}").copy()
    asked_for[2] = b""  # an excluded run
    existing = [layout.format_key(asked_for[number]) for number in (0, asked - 1)]
    for key in (*existing, "ef" * 32):
        store.write(layout.manifest_path(key), b"{}")
    store.write("manifests/ef/readme.json", b"{}")
    twice = np.concatenate([asked_for, asked_for[:1]])
    assert np.flatnonzero(store.find_present_runs(twice)).tolist() == [0, asked - 1, asked]
