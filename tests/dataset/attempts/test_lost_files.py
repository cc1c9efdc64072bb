"""A run whose manifest is there and whose files are not is found, and rendered again."""

from __future__ import annotations

import numpy as np
import pytest

from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import manifest_path, run_path


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
    commit_dataset(store, begin_call(store, sweep).attempt, [], {})
    lose(store, manifest)
    call = begin_call(store, sweep)
    assert (call.survey.todo, call.survey.cached_runs) == (((1, 2),), 2)
    assert call.survey.lost == (manifest.key,)
    assert not store.has_run(manifest.key)
    assert commit_dataset(store, call.attempt, [], {}).missing == 1
    put(manifest.key)
    assert begin_call(store, sweep).survey.todo == ()


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
