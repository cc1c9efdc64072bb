"""A run whose manifest is there and whose files are not is found, and rendered again."""

from __future__ import annotations

import numpy as np
import pytest

from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import manifest_path, run_path
from synth_dataset.store import s3_store


@pytest.fixture
def store(each_store):
    return each_store


def lose_a_file(store, manifest):
    store.remove_files([f"{run_path(manifest.key, manifest.c8)}/stl/00001.stl"])


def lose_the_folder(store, manifest):
    store.remove_folder(run_path(manifest.key, manifest.c8))


def cut_a_file_short(store, manifest):
    store.write(f"{run_path(manifest.key, manifest.c8)}/real.png", b"pix")


def cut_the_manifest_short(store, manifest):
    path = manifest_path(manifest.key)
    store.write(path, store.read(path)[:100])


@pytest.mark.parametrize("lose", [lose_a_file, lose_the_folder, cut_a_file_short, cut_the_manifest_short])
def test_a_run_that_lost_files_is_to_do_again(store, put, sweep_of, lose):
    sweep = sweep_of(0, 1, 2)
    _, manifest, _ = (put(sweep.key(run)) for run in range(3))
    commit_dataset(store, begin_call(store, sweep).attempt, [], ())
    lose(store, manifest)
    call = begin_call(store, sweep)
    assert (call.survey.todo, call.survey.cached_runs) == (((1, 2),), 2)
    assert call.survey.lost == (manifest.key,)
    assert not store.has_run(manifest.key)
    assert commit_dataset(store, call.attempt, [], ()).missing == 1
    put(manifest.key)
    assert begin_call(store, sweep).survey.todo == ()


@pytest.mark.parametrize("min_listed_runs", [1000, 1])
@pytest.mark.parametrize(
    ("lose", "fault"),
    [
        (lose_a_file, "its file stl/00001.stl is missing"),
        (lose_the_folder, "its file real.png is missing"),
        (cut_a_file_short, "its file real.png has 3 bytes instead of 6"),
    ],
)
def test_a_run_that_loses_a_file_before_the_commit_is_missing(
    store, put, sweep_of, caplog, monkeypatch, lose, fault, min_listed_runs
):
    monkeypatch.setattr(s3_store, "MIN_LISTED_RUNS", min_listed_runs)
    sweep = sweep_of(0, 1, 2)
    attempt = begin_call(store, sweep).attempt
    _, manifest, _ = (put(sweep.key(run)) for run in range(3))
    lose(store, manifest)
    dataset = commit_dataset(store, attempt, [], ())
    assert (dataset.succeeded, dataset.missing) == (2, 1)
    assert [record.getMessage() for record in caplog.records] == [
        f"run 1 ({manifest.key}): {fault}, so it counts as missing; "
        "the same synth render, or synth retry on a cluster, renders the run again"
    ]
    assert not store.has_run(manifest.key)
    put(manifest.key)
    assert commit_dataset(store, attempt, [], ()).missing == 0


def test_lost_runs_of_a_commit_are_counted_in_one_sentence(store, put, sweep_of, caplog):
    sweep = sweep_of(0, 1, 2)
    attempt = begin_call(store, sweep).attempt
    for run in range(3):
        lose_the_folder(store, put(sweep.key(run)))
    assert commit_dataset(store, attempt, [], ()).missing == 3
    assert [record.getMessage() for record in caplog.records] == [
        f"run 0 ({sweep.key(0)}): its file real.png is missing, so it counts as missing, as do 2 others; "
        "the same synth render, or synth retry on a cluster, renders the run again"
    ]


@pytest.mark.parametrize("each_store", ["minio", "seaweed"], indirect=True)
def test_of_many_runs_one_listing_shows_their_files(store, put, sweep_of, monkeypatch):
    """A run with two folders, as of a killed worker, is asked for by itself."""
    monkeypatch.setattr(s3_store, "MIN_LISTED_RUNS", 1)
    sweep = sweep_of(0, 1, 2)
    attempt = begin_call(store, sweep).attempt
    manifests = [put(sweep.key(run)) for run in range(3)]
    store.write(f"{run_path(manifests[2].key, '12345678')}/real.png", b"half")
    find_fault, asked = store.find_fault, []
    monkeypatch.setattr(store, "find_fault", lambda manifest: (asked.append(manifest.key), find_fault(manifest))[1])
    assert commit_dataset(store, attempt, [], ()).missing == 0
    assert asked == [manifests[2].key]


@pytest.mark.parametrize("each_store", ["folder", "minio"], indirect=True)  # SeaweedFS lists empty folders
def test_of_very_many_runs_a_folder_that_is_gone_is_found(store, put, sweep_of, monkeypatch):
    monkeypatch.setattr(type(store), "max_compared_runs", 1)
    sweep = sweep_of(0, 1, 2)
    for run in range(3):
        lost = put(sweep.key(run))
    lose_the_folder(store, lost)
    assert begin_call(store, sweep).survey.todo == ((2, 3),)


def test_a_manifest_of_another_release_is_not_taken_for_a_lost_one(store, put, sweep_of):
    sweep = sweep_of(0)
    path = manifest_path(put(sweep.key(0)).key)
    store.write(path, store.read(path).replace(b'"width"', b'"later"', 1))
    with pytest.raises(DocumentError, match="restore the file or remove it"):
        begin_call(store, sweep)
    assert store.exists(path)


def test_excluded_runs_lose_nothing(store):
    assert store.find_lost_runs(np.array([], "S32")).tolist() == []
