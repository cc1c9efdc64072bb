"""`statistics.html` of a commit: grey values of some pictures, whatever the number of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.statistics import statistics_page
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from pathlib import Path


def read_page(store: FolderStore, folder: str) -> str:
    return (store.root / folder / "statistics.html").read_text()


def test_the_page_of_a_commit_has_grey_values_of_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_page, "SAMPLED_PICTURES", 4)
    store = FolderStore(tmp_path)
    page = read_page(store, render_discs(store, DiscSweep(seeds=(0, 1, 2))).dataset.folder)
    assert "in 4 of 6 pictures, the first by run key" in page
    assert "noise of a picture, grey levels" in page


def test_a_damaged_picture_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FolderStore(tmp_path)
    folder = render_discs(store, DiscSweep(seeds=(0, 1, 2))).dataset.folder
    picture = next(tmp_path.glob("runs/*/*/*/real.png"))
    picture.write_bytes(b"x" * picture.stat().st_size)
    commit_dataset(store, open_attempt(store, folder), [])
    assert "in 5 of 6 pictures" in read_page(store, folder)
    (message,) = (record.getMessage() for record in caplog.records)
    assert message.startswith(f"statistics without a picture: run {picture.parts[-3][:12]}")
    assert message.endswith("; synth verify --repair renders the run again")
