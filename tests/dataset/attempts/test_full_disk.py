"""A commit on a full disk: nothing half-written stays, and the dataset of before does."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.store.folder_store import FolderStore, StoreFullError


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "dataset")


def list_documents(store: FolderStore) -> set[str]:
    return {path.relative_to(store.root).as_posix() for path in (store.root / "sweeps").rglob("*") if path.is_file()}


def fill_disk(store: FolderStore, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """The disk is full from the first document on whose path ends so."""
    for name in ("write", "write_file"):
        real = getattr(store, name)

        def write(path: str, content: Any, real: Any = real) -> None:
            if path.endswith(end):
                raise StoreFullError(errno.ENOSPC, "no space is left")
            real(path, content)

        monkeypatch.setattr(store, name, write)


@pytest.mark.parametrize("end", ["index.html", "/index.parquet", "discs/dataset.json"])
def test_a_commit_that_cannot_end_leaves_no_documents(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    sweep = DiscSweep()
    before = render_discs(store, sweep).dataset
    documents = list_documents(store)
    call = begin_call(store, DiscSweep(seeds=(0, 1, 2, 3)))
    assert call is not None
    begun = list_documents(store) - documents
    with monkeypatch.context() as patch:
        fill_disk(store, patch, end)
        with pytest.raises(StoreFullError):
            commit_dataset(store, call.attempt, [])
    assert list_documents(store) - documents == begun
    assert begun == {f"{call.attempt.path}/{name}" for name in ("plan.json", "keys.bin")}
    again = commit_dataset(store, open_attempt(store, before.folder), [])
    assert (again.root, again.folder) == (before.root, before.folder)


def test_a_dataset_that_is_written_again_keeps_its_documents(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pointer names them."""
    before = render_discs(store, DiscSweep()).dataset
    documents = list_documents(store)
    fill_disk(store, monkeypatch, "index.html")
    with pytest.raises(StoreFullError):
        commit_dataset(store, open_attempt(store, before.folder), [])
    assert list_documents(store) == documents
