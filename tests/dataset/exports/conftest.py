"""Exports of small datasets of discs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from disc_datasets import DiscSweep, render_big_picture, render_discs
from numpy.typing import NDArray

from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.documents.layout import run_path
from synth_dataset.exports.export import Export, prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore


@pytest.fixture
def render() -> Callable[..., DatasetSource]:
    """Renders a sweep of discs into a store; the source of its dataset."""
    return render_discs


@pytest.fixture
def discs(tmp_path: Path) -> DatasetSource:
    """Three seeds with no and with four particles."""
    return render_discs(FolderStore(tmp_path / "dataset"), DiscSweep())


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export; its folder."""

    def write(*sources: DatasetSource, out: str = "out", **options: Any) -> Path:
        folder = tmp_path / out
        prepare(sources, folder, **options).write()
        return folder

    return write


def prepare(sources: Sequence[DatasetSource], folder: Path, **options: Any) -> Export:
    chosen = replace(ExportOptions(format="coco"), **options)
    return prepare_export(sources, chosen, Target(FolderStore(folder), chosen.link))


def read_labels(source: DatasetSource, key: str) -> NDArray[np.uint16]:
    """The ids (H, W) of a run in its store."""
    manifest = source.store.read_manifest(key)
    content = source.store.read(f"{run_path(key, manifest.c8)}/instances.png")
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def labels_of():
    return read_labels


@pytest.fixture
def prepare_in():
    return prepare


@pytest.fixture
def disc_sweep():
    return DiscSweep


def read_tree(folder: Path) -> dict[str, bytes]:
    """Content of all files below a folder by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def tree_of():
    return read_tree


@pytest.fixture
def big_picture(tmp_path: Path) -> DatasetSource:
    return render_big_picture(FolderStore(tmp_path / "big"))
