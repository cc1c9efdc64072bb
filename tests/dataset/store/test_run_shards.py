"""Packed runs: the same answers as of runs that are files, in a folder and in buckets."""

from __future__ import annotations

import tarfile
from copy import copy
from hashlib import sha256
from io import BytesIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from synth_dataset.attempts.shard_garbage import find_needed_rows, pack_again
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.shard_index import build_header, measure_header, pad
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import ChangedFileError, pack_runs, take_packed_run, take_plain_run, write_shard

KEYS = ["ab" * 32, "cd" * 31 + "00", "00" * 31 + "01"]


@pytest.fixture
def store(each_store):
    return each_store


@pytest.fixture
def packed(store, put):
    """Three runs in one shard: their manifests by key."""
    manifests = {key: put(key, f"pixels of {key}".encode()) for key in KEYS}
    pack_runs(store, store, KEYS)
    return manifests


def as_keys(keys):
    return np.array([bytes.fromhex(key) for key in keys], f"S{layout.KEY_BYTES}")


def open_again(store):
    """Return the store as another process opens it."""
    other = copy(store)
    del other.__dict__["shards"]
    return other


def shard_of(store):
    (name,) = {path.rpartition("/")[2].partition(".")[0] for path in store.iterate_files(layout.SHARDS)}
    return name


def test_a_packed_run_is_read_as_one_of_files(store, packed):
    for key, manifest in packed.items():
        folder = layout.run_path(key, manifest.c8)
        content = f"pixels of {key}".encode()
        assert store.has_run(key)
        assert not store.has_plain_run(key)
        assert store.read_manifest(key) == manifest
        assert store.read(f"{folder}/real.png") == content
        assert store.read_part(f"{folder}/real.png", 7, 2) == b"of"
        assert store.read_part(f"{folder}/real.png", len(content) - 2, 9) == content[-2:]
        assert store.read_size(f"{folder}/real.png") == len(content)
        assert store.exists(f"{folder}/stl/00001.stl")
        assert not store.exists(f"{folder}/other.png")
        assert store.list_sizes(folder) == {"real.png": len(content), "stl/00001.stl": 4}
        assert store.find_fault(manifest) is None
        assert not store.has_lost_files(key)


def test_a_commit_finds_runs_that_are_packed_again_meanwhile(store, packed, tmp_path, monkeypatch):
    """One of its threads has looked where a run is, and another one has noticed that the shard has gone."""
    key = KEYS[0]
    with store.shards.collect_manifests(tmp_path):
        before, find = [store.shards.find(key)], store.shards.find
        other = open_again(store)
        pack_again(other, other.shards.names, find_needed_rows(other, as_keys([key])))
        store.shards.refresh()
        monkeypatch.setattr(store.shards, "find", lambda key: before.pop() if before else find(key))
        assert store.read_manifest(key) == packed[key]


@pytest.mark.parametrize("content", [b"", b"pixels"])
def test_nothing_is_read_at_the_end_of_a_packed_file(store, put, content):
    """No bytes of the next file of the shard: zero bytes of an object may mean all to its end."""
    manifest = put(KEYS[0], content)
    pack_runs(store, store, KEYS[:1])
    path = f"{layout.run_path(KEYS[0], manifest.c8)}/real.png"
    assert store.read(path) == content
    assert [store.read_part(path, start, 9) for start in (len(content), len(content) + 1)] == [b"", b""]
    assert store.read_part(path, 0, 0) == b""


def test_many_runs_are_two_objects(store, packed):
    assert len(list(store.iterate_files(layout.SHARDS))) == 2
    assert [*store.iterate_files(layout.RUNS), *store.iterate_files(layout.MANIFESTS)] == []


def test_packed_runs_and_others_are_found_together(store, packed, put):
    other, missing = "ef" * 32, "12" * 32
    put(other)
    asked = as_keys([missing, other, *KEYS])
    assert store.find_present_runs(asked).tolist() == [False, True, True, True, True]
    assert store.find_lost_runs(asked[1:]).tolist() == [False] * 4
    assert sorted(store.iterate_keys()) == sorted([other, *KEYS])
    assert store.find_present_runs(as_keys([]).astype(asked.dtype)).tolist() == []
    with pytest.raises(KeyError):
        store.read_manifest(missing)


def test_a_file_that_no_shard_has_is_named(store, packed):
    manifest = packed[KEYS[0]]
    for path in (f"{layout.run_path(KEYS[0], manifest.c8)}/none.png", f"{layout.run_path(KEYS[0], '0' * 8)}/real.png"):
        with pytest.raises(FileNotFoundError) as caught:
            store.read(path)
        assert caught.value.filename == store.format_uri(path)


def test_unpacking_the_tar_file_gives_the_runs_as_files_again(store, packed, tmp_path):
    content = store.read(layout.shard_path(shard_of(store)))
    with tarfile.open(fileobj=BytesIO(content)) as tar:
        members = tar.getmembers()
        assert {(member.mtime, member.mode, member.uid) for member in members} == {(0, 0o644, 0)}
        names = [member.name for member in members]
        assert names[-3:] == [layout.manifest_path(key) for key in sorted(KEYS)], "manifests are last"
        tar.extractall(tmp_path / "unpacked", filter="data")
    unpacked = FolderStore(tmp_path / "unpacked")
    for key, manifest in packed.items():
        assert unpacked.has_plain_run(key)
        assert unpacked.read_manifest(key) == manifest
        assert unpacked.find_fault(manifest) is None


def test_the_index_has_a_row_per_run(store, packed):
    table = pq.read_table(BytesIO(store.read(layout.shard_index_path(shard_of(store)))))
    assert [key.hex() for key in table["key"].to_pylist()] == sorted(KEYS)
    assert table["c8"].to_pylist() == [packed[key].c8 for key in sorted(KEYS)]
    tar = store.read(layout.shard_path(shard_of(store)))
    for row in table.to_pylist():
        manifest = tar[row["manifest_offset"] :][: row["manifest_bytes"]]
        assert manifest == packed[row["key"].hex()].to_json()
        files = tar[row["offset"] :][: row["length"]]
        assert tarfile.TarInfo.frombuf(files[:512], "utf-8", "strict").name.startswith(f"runs/{row['key'].hex()[:2]}/")


def test_same_runs_are_the_same_shard_in_any_order(store, put):
    for key in KEYS:
        put(key)
    pack_runs(store, store, KEYS)
    first = {path: store.read(path) for path in store.iterate_files(layout.SHARDS)}
    store.shards.refresh()
    write_shard(store, [take_packed_run(store, store.shards.find(key)) for key in reversed(KEYS)])
    assert {path: store.read(path) for path in store.iterate_files(layout.SHARDS)} == first


def test_a_run_that_exists_as_files_too_is_read_from_these(store, packed, put):
    again = put(KEYS[0], b"rendered again")
    for _ in range(2):
        assert store.read_manifest(KEYS[0]) == again
        assert store.read(f"{layout.run_path(KEYS[0], again.c8)}/real.png") == b"rendered again"
        assert sorted(store.iterate_keys()) == sorted(KEYS)
        store.shards.refresh()
    assert store.read_manifest(KEYS[1]) == packed[KEYS[1]]
    store.remove_files([layout.manifest_path(KEYS[0])])
    store.shards.refresh()
    assert store.read_manifest(KEYS[0]) == packed[KEYS[0]]


def test_a_run_of_two_shards_counts_once(store, packed, put):
    for key in KEYS[:2]:
        put(key, b"by another pod")
    write_shard(store, [take_plain_run(store, key) for key in KEYS[:2]])
    store.remove_files(layout.manifest_path(key) for key in KEYS[:2])
    store.shards.refresh()
    assert sorted(store.iterate_keys()) == sorted(KEYS)
    first = min(store.shards.names)
    for key in KEYS[:2]:
        assert store.shards.find(key).tar == layout.shard_path(first)
        manifest = store.read_manifest(key)
        content = store.read(f"{layout.run_path(key, manifest.c8)}/real.png")
        assert sha256(content).hexdigest() == manifest.files[0].sha256
    assert store.shards.is_used.sum() == 3


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_the_runs_of_a_shard_without_its_whole_tar_file_do_not_exist(store, packed, damage):
    path = layout.shard_path(shard_of(store))
    content = store.read(path)
    store.remove_files([path])
    if damage == "short":
        store.write(path, content[:-1])
    store.shards.refresh()
    assert store.shards.broken == (shard_of(store),)
    assert not store.find_present_runs(as_keys(KEYS)).any()
    assert list(store.iterate_keys()) == []
    store.write(path, content)
    assert store.find_present_runs(as_keys(KEYS)).all()
    assert store.shards.broken == ()


def test_a_tar_file_without_its_index_holds_no_run(store, packed):
    store.remove_files([layout.shard_index_path(shard_of(store))])
    assert not store.find_present_runs(as_keys(KEYS)).any()


def test_another_process_sees_a_shard_at_its_next_look(store, packed, put):
    reader = open_again(store)
    assert sorted(reader.iterate_keys()) == sorted(KEYS)
    put("ef" * 32)
    pack_runs(store, store, ["ef" * 32])
    assert sorted(reader.iterate_keys()) == sorted(["ef" * 32, *KEYS])


def test_a_shard_that_is_packed_again_meanwhile_is_read_on(store, packed):
    key, reader, old = KEYS[0], open_again(store), shard_of(store)
    assert reader.has_run(key)
    write_shard(store, [take_packed_run(store, store.shards.find(each)) for each in KEYS[:2]])
    store.remove_files([layout.shard_index_path(old), layout.shard_path(old)])
    assert reader.read(f"{layout.run_path(key, packed[key].c8)}/real.png") == f"pixels of {key}".encode()
    assert not reader.has_run(KEYS[2])


def test_an_index_that_cannot_be_read_names_its_file(store, packed):
    path = layout.shard_index_path(shard_of(store))
    store.write(path, b"no parquet")
    with pytest.raises(DocumentError, match=f"{store.format_uri(path)}: is no index of a shard"):
        open_again(store).has_run(KEYS[0])


def test_a_shard_of_which_a_file_has_changed_meanwhile_has_no_index(store, put):
    manifest = put(KEYS[0])
    run = take_plain_run(store, KEYS[0])
    store.write(f"{layout.run_path(KEYS[0], manifest.c8)}/real.png", b"short")
    with pytest.raises(ChangedFileError, match=r"real\.png: has 5 bytes instead of 6"):
        write_shard(store, [run])
    assert [path for path in store.iterate_files(layout.SHARDS) if path.endswith(".parquet")] == []
    assert store.has_plain_run(KEYS[0])


@pytest.mark.parametrize("length", [1, 17, 91, 92, 180, 400])
def test_a_path_of_any_length_fits_into_a_header(length):
    path = f"{layout.run_path(KEYS[0], '0' * 8)}/{'x' * length}"
    content = b"content"
    assert measure_header(path, len(content)) == len(build_header(path, len(content)))
    data = build_header(path, len(content)) + content.ljust(pad(len(content)), b"\0") + bytes(1024)
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        assert tar.extractfile(path).read() == content
