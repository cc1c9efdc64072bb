"""Exports of small datasets of discs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from disc_datasets import DiscSweep, render_big_picture, render_discs

from synth_dataset.exports.export import Export, prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.sources import ExportSource
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore


@pytest.fixture
def render() -> Callable[..., ExportSource]:
    """Renders a sweep of discs into a store; the source of its dataset."""
    return render_discs


@pytest.fixture
def discs(tmp_path: Path) -> ExportSource:
    """Three seeds with no and with four particles."""
    return render_discs(FolderStore(tmp_path / "dataset"), DiscSweep())


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export; its folder."""

    def write(*sources: ExportSource, out: str = "out", **options: Any) -> Path:
        folder = tmp_path / out
        prepare(sources, folder, **options).write()
        return folder

    return write


def prepare(sources: Sequence[ExportSource], folder: Path, **options: Any) -> Export:
    chosen = replace(ExportOptions(format="coco"), **options)
    return prepare_export(sources, chosen, Target(FolderStore(folder), chosen.link))


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
def big_picture(tmp_path: Path) -> ExportSource:
    return render_big_picture(FolderStore(tmp_path / "big"))
