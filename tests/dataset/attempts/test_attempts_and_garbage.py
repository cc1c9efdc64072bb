from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.attempt import find_dataset, iterate_keys, open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset, open_dataset
from synth_dataset.attempts.garbage_collection import find_garbage, remove_garbage
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.documents.layout import manifest_path, run_path

LATER = datetime.now(UTC) + timedelta(days=3)


@pytest.fixture
def store(each_store):
    return each_store


def collect(store):
    remove_garbage(store, find_garbage(store, now=LATER))


def write_count(folder, samples, *_):
    (folder / "coco.json").write_bytes(b"%d" % len(samples))


def files(store, manifest):
    return list(store.iterate_files(run_path(manifest.key, manifest.c8)))


def test_an_attempt_records_cached_runs_and_runs_to_do(store, put, sweep_of):
    sweep = sweep_of(0, 1, 2, 3, 4)
    put(sweep.key(2))
    attempt = begin_call(store, sweep).attempt
    assert attempt.document.todo == ((0, 2), (3, 5))
    assert (attempt.document.total, attempt.document.cached) == (5, 1)
    assert list(iterate_keys(store, attempt.path)) == list(sweep.keys())


def test_two_runs_with_one_key_are_refused_before_anything_is_written(store, sweep_of):
    says = "runs 1 and 3 are the same picture, initial_runtime_state.seed=7 and initial_runtime_state.seed=7; take one"
    with pytest.raises(InputError, match=says):
        begin_call(store, sweep_of(9, 7, 8, 7))
    assert list(store.list_children("sweeps")) == []


def test_a_dataset_counts_existing_failed_and_missing_runs(store, put, sweep_of):
    sweep = sweep_of(10, 11, 12, 13)
    put(sweep.key(1))
    attempt = begin_call(store, sweep).attempt
    put(sweep.key(0))
    failure = FailedRun(number=2, overrides={"seed": 12}, reason="GateFailed", message="flat")
    dataset = commit_dataset(store, attempt, [failure], [write_count])
    counts = (dataset.total, dataset.cached, dataset.succeeded, dataset.failed, dataset.missing)
    assert counts == (4, 1, 1, 1, 1)
    index = pq.read_table(BytesIO(store.read(f"{attempt.path}/index.parquet"))).to_pydict()
    assert index["run"] == [0, 1]
    assert index["initial_runtime_state.seed"] == [10, 11]
    assert all(store.exists(f"{folder}/real.png") for folder in index["folder"])
    assert store.read(f"{attempt.path}/coco.json") == b"2"
    assert open_dataset(store) == find_dataset(store, "local", "beads") == dataset
    with pytest.raises(InputError, match="holds no dataset 'bead'; did you mean 'beads'"):
        open_dataset(store, "bead")


def test_a_file_that_is_gone_is_one_sentence_and_the_dataset_before_stays(store, put, sweep_of):
    sweep = sweep_of(0)
    manifest = put(sweep.key(0))
    attempt = begin_call(store, sweep).attempt
    before = commit_dataset(store, attempt, [], ())
    lost = f"{run_path(manifest.key, manifest.c8)}/real.png"
    store.remove_files([lost])
    with pytest.raises(
        DocumentError, match=rf"{store.format_uri(lost)}: this file of a run is missing; the same synth render"
    ):
        commit_dataset(store, attempt, [], [lambda *_: store.read(lost)])
    assert find_dataset(store, "local", "beads") == before


def test_a_complete_dataset_needs_no_attempt(store, put, sweep_of):
    sweep = sweep_of(0, 1)
    put(sweep.key(0))
    put(sweep.key(1))
    first = begin_call(store, sweep).attempt
    commit_dataset(store, first, [], ())
    assert begin_call(store, sweep) is None
    assert begin_call(store, sweep_of(0, 1, 2)) is not None


def test_runs_of_no_live_attempt_are_garbage(store, put, sweep_of):
    kept, dropped = sweep_of(0), "ee" * 32
    manifest, unnamed = put(kept.key(0), b"new"), put(dropped)
    old = put(kept.key(0), b"older device")
    dead, attempt = begin_call(store, kept).attempt, None
    for _ in range(2):
        attempt = begin_call(store, kept).attempt
    commit_dataset(store, attempt, [], ())
    assert find_garbage(store).runs == ()
    found = find_garbage(store, now=LATER)
    assert [item.sweep for item in found.attempts if item.path == dead.path] == ["local/beads"]
    assert store.has_run(dropped)
    collect(store)
    assert not store.has_run(dropped)
    assert not files(store, unnamed)
    assert not files(store, manifest)
    assert files(store, old)
    assert not list(store.iterate_files(dead.path))
    assert list(store.iterate_files(attempt.path))


@pytest.mark.parametrize("kept", ["ab" * 31 + "00", "cd" * 16 + "00" * 16, "00" * 32])
def test_a_key_may_end_in_zero_bytes(store, put, sweep_of, kept, monkeypatch):
    dropped = [kept[:62] + "01", "00" * 31 + "02", "ab" * 16 + "00" * 16]
    sweep = sweep_of(0)
    monkeypatch.setattr(type(sweep), "key", lambda *_: kept)
    for key in (kept, *dropped):
        put(key)
    begin_call(store, sweep)
    collect(store)
    assert list(store.iterate_keys()) == [kept]


def test_an_unreadable_attempt_prevents_deletion(store, put, sweep_of):
    put("ee" * 32)
    attempt = begin_call(store, sweep_of(0)).attempt
    store.write(f"{attempt.path}/keys.bin", b"short")
    with pytest.raises(DocumentError, match=r"keys\.bin"):
        collect(store)
    assert store.has_run("ee" * 32)


def test_an_attempt_that_is_being_written_keeps_its_runs(store, put, sweep_of):
    put("ee" * 32)
    begun = "sweeps/other/beads/12345678/12345678"
    store.write(f"{begun}/keys.bin", bytes.fromhex("ee" * 32))
    collect(store)
    assert store.has_run("ee" * 32)
    assert store.exists(f"{begun}/keys.bin")


def test_an_excluded_run_is_neither_there_nor_to_do(store, put, sweep_of, monkeypatch):
    sweep = sweep_of(0, 1, 2, 3)
    keys = list(sweep.keys())
    monkeypatch.setattr(type(sweep), "keys", lambda self: iter([keys[0], bytes(32), keys[2], bytes(32)]))
    put(sweep.key(2))
    attempt = begin_call(store, sweep).attempt
    plan = attempt.document
    assert (plan.total, plan.excluded, plan.runs, plan.cached, plan.todo) == (2, 2, 4, 1, ((0, 1),))
    put(sweep.key(0))
    dataset = commit_dataset(store, attempt, [], ())
    assert (dataset.total, dataset.cached, dataset.succeeded, dataset.missing) == (2, 1, 1, 0)
    assert dataset.is_complete
    assert open_attempt(store, attempt.path) == attempt
    collect(store)
    assert sorted(store.iterate_keys()) == sorted([sweep.key(0), sweep.key(2)])


@pytest.fixture
def put_with_recipe(store, record_of):
    """Commits a run that refers to the stored recipe of a sweep with this name."""

    def put_run(key, sweep):
        base = {"sweep": sweep, "seed": 0}
        reference = store.keep_recipe(base, base | {"seed": int(key[:2], 16)})
        with store.open_scratch(key) as folder:
            (folder / "real.png").write_bytes(b"pixels")
            store.commit_run(folder, record_of(key, recipe=reference))
        return f"recipes/{reference.sha256}.json"

    return put_run


def test_a_recipe_lives_as_long_as_a_run_that_names_it(store, put_with_recipe, sweep_of):
    kept = sweep_of(0)
    shared = put_with_recipe(kept.key(0), "shared")
    assert put_with_recipe("ee" * 32, "shared") == shared
    alone = put_with_recipe("dd" * 32, "alone")
    begin_call(store, kept)
    assert find_garbage(store).recipes == ()
    assert [item.path for item in find_garbage(store, now=LATER).recipes] == [alone]
    collect(store)
    assert list(store.iterate_files("recipes")) == [shared]
    assert store.read_recipe(store.read_manifest(kept.key(0)))["sweep"] == "shared"


def first_key_of(tree):
    return sha256(canonical_json({"engine": ENGINE_VERSION, "recipe": tree})).hexdigest()


def write_keys(store, key):
    """Write what an attempt has before its plan; an excluded run comes before the first one."""
    store.write("sweeps/local/begun/12345678/12345678/keys.bin", bytes(32) + bytes.fromhex(key))


def test_a_recipe_lives_while_a_sweep_begins_with_its_run(store, put_with_recipe):
    """Its workers may be about to write the manifest of the first run."""
    old = put_with_recipe("dd" * 32, "begun")
    write_keys(store, first_key_of({"sweep": "begun", "seed": 0}))
    assert find_garbage(store, now=LATER).recipes == ()
    collect(store)
    assert list(store.iterate_files("recipes")) == [old]


def test_a_sweep_that_begins_while_manifests_are_read_keeps_its_recipe(
    store, put_with_recipe, put, sweep_of, monkeypatch
):
    recipe = put_with_recipe("dd" * 32, "begun")
    store.remove_files([manifest_path("dd" * 32)])
    kept = sweep_of(0)
    put(kept.key(0))
    begin_call(store, kept)
    read_manifest = store.read_manifest

    def begin_sweep(key):
        write_keys(store, first_key_of({"sweep": "begun", "seed": 0}))
        return read_manifest(key)

    monkeypatch.setattr(store, "read_manifest", begin_sweep)
    assert find_garbage(store, now=LATER).recipes == ()
    assert store.exists(recipe)


def test_a_run_that_cannot_be_read_is_named_and_stops_no_garbage_collection(
    store, put_with_recipe, put, sweep_of, caplog
):
    sweep, dropped = sweep_of(0, 1), "ee" * 32
    recipe, alone = put_with_recipe(sweep.key(0), "kept"), put_with_recipe("dd" * 32, "alone")
    folders = [put(sweep.key(1)), put(sweep.key(1), b"another device")]
    put(dropped)
    begin_call(store, sweep)
    store.write(manifest_path(sweep.key(1)), b"{}")
    collect(store)
    assert not store.has_run(dropped)
    assert all(files(store, manifest) for manifest in folders), "nobody knows which one is right"
    assert sorted(store.iterate_files("recipes")) == sorted([recipe, alone]), "it may name each of them"
    uri = store.format_uri(manifest_path(sweep.key(1)))
    assert {record.getMessage().split(": ")[0] for record in caplog.records} == {uri}


def test_garbage_is_found_by_listing(store, put_with_recipe, sweep_of, monkeypatch):
    """A store of 10^5 runs is not asked for each of them."""
    sweep = sweep_of(*range(20))
    for number in range(20):
        put_with_recipe(sweep.key(number), "listed")
    dropped = "ee" * 32
    put_with_recipe(dropped, "listed")
    begin_call(store, sweep)
    asked = []
    read_manifest = store.read_manifest
    monkeypatch.setattr(store, "has_run", lambda key: asked.append(key))
    monkeypatch.setattr(store, "read_manifest", lambda key: asked.append(key) or read_manifest(key))
    found = find_garbage(store, now=LATER)
    assert [item.path for item in found.runs] == [manifest_path(dropped)]
    assert [item.path.split("/")[2] for item in found.folders] == [dropped]
    assert all(item.bytes for item in found.items)
    assert len(asked) <= 2 * store.max_requests, "as many as are read ahead, until each recipe is found in a manifest"
