"""Packing of runs that are files: at each moment each run exists, once and whole, and the next packer ends the work."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from synth_dataset.attempts.shard_garbage import find_needed_rows, measure_shards, pack_again, remove_shards
from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import build_index, compute_tar_bytes, encode_index, name_shard
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import ChangedFileError, Packer, pack_runs, take_packed_run, write_shard

KEYS = ["ab" * 32, "cd" * 32, "ef" * 32]


@pytest.fixture
def store(each_store):
    return each_store


class KilledError(Exception):
    """Stands for SIGKILL of this process."""


def die_before(store, monkeypatch, changes):
    """Have a store raise before its n-th change."""
    left = [changes]
    for name in ("write", "write_file", "remove_files", "remove_folder"):
        call = getattr(store, name)

        def dying(*arguments, call=call):
            if left[0] == 0:
                raise KilledError
            left[0] -= 1
            return call(*arguments)

        monkeypatch.setattr(store, name, dying)


def check_runs(store, manifests):
    store.shards.refresh()
    assert sorted(store.iterate_keys()) == sorted(manifests)
    for key, manifest in manifests.items():
        assert store.read_manifest(key) == manifest
        assert store.find_fault(manifest) is None
        assert store.read(f"{layout.run_path(key, manifest.c8)}/real.png") == key.encode()


def as_keys(keys):
    return np.array([bytes.fromhex(key) for key in keys], f"S{layout.KEY_BYTES}")


@pytest.mark.parametrize("changes", range(7))
def test_a_packer_killed_before_any_change_leaves_every_run_and_the_next_one_ends_it(store, put, monkeypatch, changes):
    manifests = {key: put(key, key.encode()) for key in KEYS}
    with monkeypatch.context() as patched, suppress(KilledError):
        die_before(store, patched, changes)
        pack_runs(store, store, KEYS)
        assert changes == 6, "tar file, index, manifests, three folders"
    check_runs(store, manifests)
    pack_runs(store, store, [key for key in KEYS if store.has_plain_run(key)])
    check_runs(store, manifests)
    assert len(store.shards.names) == 1


@pytest.mark.parametrize("changes", range(4))
def test_a_gc_killed_between_its_steps_leaves_every_live_run(store, put, monkeypatch, changes):
    manifests = {key: put(key, key.encode()) for key in KEYS}
    pack_runs(store, store, KEYS)
    live = {key: manifests[key] for key in KEYS[:1]}
    (old,) = store.shards.names
    with monkeypatch.context() as patched, suppress(KilledError):
        die_before(store, patched, changes)
        pack_again(store, [old], find_needed_rows(store, as_keys(live)))
        assert changes == 3, "tar file, index, both old files"
    store.shards.refresh()
    for key, manifest in live.items():
        assert store.read_manifest(key) == manifest
        assert store.read(f"{layout.run_path(key, manifest.c8)}/real.png") == key.encode()
    if old in store.shards.names:
        pack_again(store, [old], find_needed_rows(store, as_keys(live)))
    check_runs(store, live)
    assert len(store.shards.names) == 1


def test_a_run_whose_tar_file_was_cut_meanwhile_gives_no_other_shard(store, put):
    put(KEYS[0], KEYS[0].encode() * 100)
    pack_runs(store, store, KEYS[:1])
    old = layout.shard_path(*store.shards.names)
    run = take_packed_run(store, store.shards.find(KEYS[0]))
    store.write(old, store.read(old)[:1024])
    with pytest.raises(ChangedFileError, match=f"run {KEYS[0]}: its files have 1,024 bytes in a tar file, not"):
        write_shard(store, [run])
    store.shards.refresh()
    assert store.shards.names == ()


def test_the_gc_after_a_killed_one_keeps_the_shard_that_this_has_written(store, put, monkeypatch):
    """A run is read from an old shard, if its name goes before the new one's, which is then packed into itself."""
    small, large = put(KEYS[0], b"1"), put(KEYS[1], b"2" * 9000)
    new = name_shard(store.read(layout.manifest_path(key)) for key in KEYS[:2])

    def find_name(live, dead, is_wanted):
        for number in count():
            put(dead, bytes([number]) * 20000)
            name = name_shard(store.read(layout.manifest_path(key)) for key in (live, dead))
            if is_wanted(name):
                return name

    first = find_name(KEYS[1], "fa" * 32, lambda name: name < new)
    last = find_name(KEYS[0], "fb" * 32, lambda name: name > new)
    pack_runs(store, store, [KEYS[1], "fa" * 32])
    pack_runs(store, store, [KEYS[0], "fb" * 32])
    assert store.shards.names == (first, last)
    live = as_keys(KEYS[:2])
    with monkeypatch.context() as patched, suppress(KilledError):
        die_before(store, patched, 2)
        pack_again(store, [first, last], find_needed_rows(store, live))
    store.shards.refresh()
    assert store.shards.names == (first, new, last)
    shards = {shard.name: shard for shard in measure_shards(store, find_needed_rows(store, live))}
    assert [name for name, shard in shards.items() if shard.live_bytes and shard.is_sparse] == [first, new]
    pack_again(store, [first, new], find_needed_rows(store, live))
    assert shards[last].live_bytes == 0
    remove_shards(store, [last])
    assert [store.read_manifest(key) for key in KEYS[:2]] == [small, large]
    assert store.shards.names == (new,)


def test_a_packer_fills_shards(store, put):
    packer = Packer(store, store, shard_bytes=20)
    for key in KEYS:
        manifest = put(key, key.encode()[:10])
        packer.add(key, sum(file.bytes for file in manifest.files))
        if packer.is_due:
            packer.pack()
    packer.pack()
    packer.pack()
    assert len(store.shards.names) == 2
    assert sorted(store.iterate_keys()) == KEYS


def test_a_run_that_has_waited_long_enough_is_packed_though_it_fills_no_shard(store, put, monkeypatch):
    clock = iter([0.0, 1799.0, 1800.0])
    monkeypatch.setattr("synth_dataset.store.packing.time", SimpleNamespace(monotonic=lambda: next(clock)))
    packer = Packer(store, store, max_wait_seconds=1800)
    assert not packer.is_due
    put(KEYS[0], b"content")
    packer.add(KEYS[0], 7)
    assert [packer.is_due, packer.is_due] == [False, True]
    packer.pack()
    assert not packer.is_due


def test_two_pods_that_pack_the_same_runs_are_harmless(store, record_of, tmp_path):
    tree = {"seed": 1}
    for pod in ("one", "two"):
        local = FolderStore(tmp_path / pod)
        for key in KEYS:
            with local.open_scratch(key) as folder:
                (folder / "real.png").write_bytes(pod.encode())
                local.commit_run(folder, record_of(key, recipe=local.keep_recipe(tree, tree)))
        pack_runs(local, store, KEYS)
        assert list(local.iterate_keys()) == []
    assert len(store.shards.names) == 2
    assert sorted(store.iterate_keys()) == KEYS
    manifests = [store.read_manifest(key) for key in KEYS]
    assert {store.read(f"{layout.run_path(each.key, each.c8)}/real.png") for each in manifests} in ({b"one"}, {b"two"})
    assert [store.read_recipe(each) for each in manifests] == [tree] * 3, "a pod's recipes come before its shard"


def test_a_packer_leaves_out_what_another_one_packs_at_the_same_time(store, put, monkeypatch):
    manifests = {key: put(key, key.encode()) for key in KEYS}
    other = copy(store)
    other.__dict__.pop("shards", None)
    left, write = [KEYS[1]], store.write

    def write_later(*arguments):
        while left:
            pack_runs(other, other, [left.pop()])
        write(*arguments)

    monkeypatch.setattr(store, "write", write_later)
    pack_runs(store, store, KEYS)
    check_runs(store, manifests)
    assert list(store.iterate_plain_keys()) == []
    assert len(store.shards.names) == 2


def test_files_that_a_shard_of_the_store_has_alike_go_and_others_stay(store, put):
    manifests = {key: put(key, key.encode()) for key in KEYS[:2]}
    content = store.read(layout.manifest_path(KEYS[0]))
    pack_runs(store, store, KEYS[:2])
    put(KEYS[0], KEYS[0].encode())
    store.write(layout.manifest_path(KEYS[0]), content)  # as a packer leaves it that was killed before the manifests
    again = put(KEYS[1], b"rendered again, for the packed one is damaged")
    store.shards.refresh()
    pack_runs(store, store, KEYS[:2])
    assert [store.has_plain_run(key) for key in KEYS[:2]] == [False, True]
    assert store.read_manifest(KEYS[0]) == manifests[KEYS[0]]
    assert store.read_manifest(KEYS[1]) == again


def test_a_run_that_has_lost_a_file_is_left_to_the_commit(store, put):
    lost, whole = put(KEYS[0]), put(KEYS[1])
    store.remove_files([f"{layout.run_path(KEYS[0], lost.c8)}/real.png"])
    pack_runs(store, store, KEYS[:2])
    assert [store.has_plain_run(key) for key in KEYS[:2]] == [True, False]
    assert store.find_fault(whole) is None
    assert store.find_fault(lost) == "its file real.png is missing"


def test_a_pack_of_nothing_writes_nothing(store):
    pack_runs(store, store, [])
    assert list(store.iterate_files(layout.SHARDS)) == []


def test_a_run_of_more_than_4_gb_counts_whole(tmp_path):
    store, length = FolderStore(tmp_path), 5_120_000_000
    index = build_index([(KEYS[0], "0" * 8, length, 700)])
    store.write(layout.shard_index_path("ab"), encode_index(index))
    with (tmp_path / layout.shard_path("ab")).open("wb") as tar:
        tar.truncate(compute_tar_bytes(index))  # takes no space
    (shard,) = measure_shards(store, np.ones(1, np.bool_))
    assert (shard.run_bytes, shard.live_bytes) == (length + 700, length + 700)
    run = store.shards.find(KEYS[0])
    assert (run.offset, run.length) == (0, length)
    assert run.manifest_offset > length


def test_runs_for_several_shards_are_packed_again_each_once(store, put):
    manifests = {key: put(key, key.encode()) for key in (f"{number:02x}" * 32 for number in range(1, 9))}
    pack_runs(store, store, manifests)
    live = dict(list(manifests.items())[1::2])
    pack_again(store, store.shards.names, find_needed_rows(store, as_keys(live)), shard_bytes=1)
    check_runs(store, live)
    assert len(store.shards.names) == 4
