"""Surveys, commits and garbage collection where some or all runs are packed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents import layout
from synth_dataset.store import s3_store
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import pack_runs
from synth_dataset.views.root_digest import RootDigest

LATER = datetime.now(UTC) + timedelta(days=3)
DAY_BEFORE_LATER = timedelta(days=2)


@pytest.fixture
def store(each_store):
    return each_store


@pytest.fixture
def pack(store, put):
    def pack_runs_of(sweep, *numbers):
        for number in numbers:
            put(sweep.key(number), f"{number}".encode() * 1000)
        pack_runs(store, store, [sweep.key(number) for number in numbers])

    return pack_runs_of


def commit(store, sweep):
    return commit_dataset(store, begin_call(store, sweep).attempt, [], ())


def collect(store):
    remove_garbage(store, find_garbage(store, now=LATER))


def measure_shards(store):
    return sum(usage.bytes for _, usage in store.list_usages(layout.SHARDS))


def tar_of(store):
    return layout.shard_path(store.shards.names[0])


@pytest.mark.parametrize("min_listed_runs", [1000, 1])
def test_packed_runs_are_cached_and_a_dataset_has_both_kinds(store, put, pack, sweep_of, monkeypatch, min_listed_runs):
    monkeypatch.setattr(s3_store, "MIN_LISTED_RUNS", min_listed_runs)
    sweep = sweep_of(0, 1, 2, 3)
    pack(sweep, 1, 3)
    call = begin_call(store, sweep)
    assert (call.survey.todo, call.survey.cached_runs, call.survey.lost) == (((0, 1), (2, 3)), 2, ())
    for number in (0, 2):
        put(sweep.key(number))
    dataset = commit_dataset(store, call.attempt, [], ())
    assert (dataset.total, dataset.cached, dataset.succeeded, dataset.missing) == (4, 2, 2, 0)
    index = pq.read_table(BytesIO(store.read(f"{dataset.folder}/index.parquet"))).to_pydict()
    assert index["run"] == [0, 1, 2, 3]
    assert begin_call(store, sweep) is None


def test_a_dataset_is_the_same_whatever_its_packaging(store, put, sweep_of):
    sweep = sweep_of(0, 1, 2)
    for number in range(3):
        put(sweep.key(number))
    plain = commit(store, sweep)
    files = {file.path: store.read(f"{plain.folder}/{file.path}") for file in plain.files}
    pack_runs(store, store, [sweep.key(number) for number in range(3)])
    packed = commit_dataset(store, begin_call(store, sweep_of(0, 1, 2, 3), others="replace").attempt, [], ())
    assert packed.succeeded + packed.cached == 3
    assert packed.root == plain.root
    assert files.keys() == {file.path for file in packed.files}


@pytest.mark.parametrize("each_store", ["minio", "seaweed"], indirect=True)
def test_a_commit_reads_the_manifests_of_a_shard_by_one_request(store, pack, sweep_of, monkeypatch):
    sweep = sweep_of(*range(8))
    pack(sweep, 0, 2, 4, 6)
    pack(sweep, 1, 3, 5, 7)
    attempt = begin_call(store, sweep).attempt
    tars = []
    read_part = store.read_part
    monkeypatch.setattr(
        store, "read_part", lambda path, *part: (path.endswith(".tar") and tars.append(path), read_part(path, *part))[1]
    )
    root = commit_dataset(store, attempt, [], ()).root
    assert sorted(tars) == sorted(map(layout.shard_path, store.shards.names))
    digest = RootDigest()
    for number in range(8):
        digest.add(store.read_manifest(sweep.key(number)))
    assert digest.compute() == root


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_commit_names_a_shard_without_its_tar_file_and_its_runs_are_rendered_again(
    store, pack, sweep_of, caplog, damage
):
    sweep = sweep_of(0, 1, 2)
    attempt = begin_call(store, sweep).attempt
    pack(sweep, 0, 2)
    path = tar_of(store)
    content = store.read(path)
    store.remove_files([path])
    if damage == "short":
        store.write(path, content[:-512])
    dataset = commit_dataset(store, attempt, [], ())
    assert (dataset.succeeded, dataset.missing) == (0, 3)
    assert [record.getMessage() for record in caplog.records] == [
        f"{store.format_uri(path)}: is missing or has another size than its index says, so its runs are missing; "
        "the same synth render, or synth retry on a cluster, renders the run again"
    ]
    assert [file for file in store.iterate_files(layout.SHARDS) if file.endswith(".parquet")] == []
    assert begin_call(store, sweep).survey.todo == ((0, 3),)
    pack(sweep, 0, 1, 2)
    assert commit(store, sweep).missing == 0


@pytest.mark.parametrize("each_store", ["folder"], indirect=True)
def test_a_commit_has_the_runs_that_another_process_packs_meanwhile(store, put, sweep_of, monkeypatch):
    """Before their manifests are read, and before their files are looked at."""
    sweep = sweep_of(*range(6))
    for number in range(6):
        put(sweep.key(number))
    attempt = begin_call(store, sweep).attempt
    other, read, find = FolderStore(store.root), store.read_manifest, store.find_fault
    first, second = [sweep.key(number) for number in (1, 3)], [sweep.key(number) for number in (4, 5)]

    def pack_and_read(key):
        if key == first[0]:
            pack_runs(other, other, first)
        return read(key)

    def pack_and_find(manifest):
        if manifest.key == second[0]:
            pack_runs(other, other, second)
        return find(manifest)

    monkeypatch.setattr(store, "read_manifest", pack_and_read)
    monkeypatch.setattr(store, "find_fault", pack_and_find)
    dataset = commit_dataset(store, attempt, [], ())
    assert (dataset.succeeded + dataset.cached, dataset.missing) == (6, 0)
    assert len(store.shards.names) == 2


def test_garbage_is_a_shard_that_no_live_attempt_needs(store, pack, sweep_of):
    old, new = sweep_of(0, 1), sweep_of(2, 3)
    pack(old, 0, 1)
    pack(new, 0, 1)
    commit(store, new)
    garbage = find_garbage(store, now=LATER)
    (item,) = garbage.shards
    assert item.bytes > 2000
    assert garbage.sparse_shards == garbage.runs == garbage.folders == ()
    remove_garbage(store, garbage)
    assert sorted(store.iterate_keys()) == sorted([new.key(0), new.key(1)])
    assert len(list(store.iterate_files(layout.SHARDS))) == 2
    assert find_garbage(store, now=LATER).items == ()
    assert commit(store, sweep_of(2, 3, 4)) is not None


def test_a_young_shard_is_no_garbage(store, pack, sweep_of):
    pack(sweep_of(0, 1), 0, 1)
    assert find_garbage(store).items == ()


def test_a_shard_of_which_less_than_half_is_needed_is_packed_again(store, pack, sweep_of):
    sweep, small = sweep_of(0, 1, 2, 3, 4), sweep_of(1, 3)
    pack(sweep, 0, 1, 2, 3, 4)
    before = {number: store.read_manifest(sweep.key(number)) for number in (1, 3)}
    commit(store, small)
    garbage = find_garbage(store, now=LATER)
    (item,) = garbage.sparse_shards
    assert garbage.shards == ()
    size = sum(usage.bytes for _, usage in store.list_usages(layout.SHARDS))
    remove_garbage(store, garbage)
    assert size - sum(usage.bytes for _, usage in store.list_usages(layout.SHARDS)) == pytest.approx(
        item.bytes, rel=0.5
    )
    assert sorted(store.iterate_keys()) == sorted(sweep.key(number) for number in (1, 3))
    for number, manifest in before.items():
        assert store.read_manifest(sweep.key(number)) == manifest
        folder = layout.run_path(manifest.key, manifest.c8)
        assert store.read(f"{folder}/real.png") == f"{number}".encode() * 1000
    assert find_garbage(store, now=LATER).items == ()
    assert begin_call(store, small) is None


def test_a_shard_of_which_half_is_needed_stays(store, pack, sweep_of):
    pack(sweep_of(0, 1, 2), 0, 1, 2)
    commit(store, sweep_of(1, 2))
    assert find_garbage(store, now=LATER).items == ()


def test_rows_that_are_not_read_do_not_count_as_needed(store, pack, put, sweep_of):
    """Runs that were rendered again, and exist as files, need no shard any more."""
    sweep = sweep_of(0, 1)
    pack(sweep, 0, 1)
    again = [put(sweep.key(number), b"again") for number in range(2)]
    commit(store, sweep)
    assert len(find_garbage(store, now=LATER).shards) == 1
    collect(store)
    assert list(store.iterate_files(layout.SHARDS)) == []
    assert [store.read_manifest(sweep.key(number)) for number in range(2)] == again


@pytest.mark.parametrize("lost", [".tar", ".parquet"])
def test_half_a_shard_is_garbage_once_it_is_old(store, pack, sweep_of, lost):
    sweep = sweep_of(0, 1)
    pack(sweep, 0, 1)
    store.remove_files([next(path for path in store.iterate_files(layout.SHARDS) if path.endswith(lost))])
    assert find_garbage(store).items == ()
    assert [item.path.endswith(".tar") for item in find_garbage(store, now=LATER).shards] == [True]
    collect(store)
    assert list(store.iterate_files(layout.SHARDS)) == []


def test_a_shard_that_has_got_its_index_since_it_was_found_stays(store, pack, sweep_of):
    """Its packer was killed before the index, and the next one packs the same runs while garbage is removed."""
    sweep = sweep_of(0, 1)
    pack(sweep, 0, 1)
    path = next(path for path in store.iterate_files(layout.SHARDS) if path.endswith(".parquet"))
    index = store.read(path)
    store.remove_files([path])
    commit(store, sweep)
    garbage = find_garbage(store, now=LATER)
    assert len(garbage.shards) == 1
    store.write(path, index)
    remove_garbage(store, garbage)
    assert sorted(store.iterate_keys()) == sorted([sweep.key(0), sweep.key(1)])


def test_a_recipe_stays_as_long_as_a_packed_run_names_it(store, record_of, sweep_of):
    sweep, tree = sweep_of(0, 1), {"seed": 7}
    for number in range(2):
        with store.open_scratch("run") as folder:
            (folder / "real.png").write_bytes(b"pixels")
            store.commit_run(folder, record_of(sweep.key(number), recipe=store.keep_recipe(tree, tree)))
    pack_runs(store, store, [sweep.key(number) for number in range(2)])
    commit(store, sweep)
    collect(store)
    assert store.read_recipe(store.read_manifest(sweep.key(0))) == tree


def test_what_a_killed_packer_left_is_garbage_or_a_run(store, pack, put, sweep_of):
    """Killed between manifests and folders: the folders are garbage, the packed runs stay."""
    sweep = sweep_of(0, 1)
    manifests = [put(sweep.key(number)) for number in range(2)]
    folders = {
        f"{layout.run_path(each.key, each.c8)}/{file.path}": store.read(
            f"{layout.run_path(each.key, each.c8)}/{file.path}"
        )
        for each in manifests
        for file in each.files
    }
    pack_runs(store, store, [sweep.key(number) for number in range(2)])
    for path, content in folders.items():
        store.write(path, content)
    commit(store, sweep)
    assert len(find_garbage(store, now=LATER).folders) == 2
    collect(store)
    assert list(store.iterate_files(layout.RUNS)) == []
    assert store.find_present_runs(np.array(list(sweep.keys()), "S32")).all()
