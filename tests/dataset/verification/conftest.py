"""A dataset to damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from disc_datasets import DiscSweep, render_discs

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.store.folder_store import FolderStore


@pytest.fixture
def source(tmp_path: Path) -> DatasetSource:
    """Six runs, every second without particles; run 1 has four."""
    return render_discs(FolderStore(tmp_path / "dataset"), DiscSweep())
