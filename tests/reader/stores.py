"""Stores that the reader's tests read, and `truth.json` with what is in them.

    .venv/bin/python tests/reader/stores.py FOLDER

The tests of a wheel have an environment without the packages of the project, so the stores are written before.
"""

from __future__ import annotations

import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

sys.path.insert(0, str(Path(__file__).parents[1]))
from disc_datasets import FIBRE, NUMBER, SEED, DiscSweep, render_discs

from synth_api.dataset_card import DatasetCard
from synth_dataset.attempts.dataset_source import DatasetSource
from synth_dataset.documents.layout import run_path
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import pack_runs

SHARES = {"train": 0.5, "test": 0.5}


def write_stores(folder: Path) -> None:
    """Write a store with one dataset, also packed and partly packed, one with two, one without runs, and an export."""
    card = DatasetCard(title="Discs", split=SHARES)
    discs = render_discs(FolderStore(folder / "one"), DiscSweep(seeds=tuple(range(6)), card=card))
    pack(discs, folder / "packed", [0, 7, 12])
    pack(discs, folder / "mixed", [3, 7, 10])
    shutil.copytree(folder / "one", folder / "two")
    render_discs(FolderStore(folder / "two"), DiscSweep("more", (7,), (3,)))
    render_discs(FolderStore(folder / "none"), DiscSweep("none", (), ()))
    render_discs(FolderStore(folder / "fibres"), DiscSweep("fibres", (0,), (8,), ("Bead", FIBRE)))
    glass = DiscSweep("glass", seeds=(3,), numbers=(11,), overlap=True, agglomerates=True)
    write_masks(render_discs(FolderStore(folder / "overlapping"), glass), folder / "masks.npz")
    (folder / "empty").mkdir()
    prepare_export([discs], ExportOptions(format="coco"), Target(FolderStore(folder / "export"))).write()
    (folder / "truth.json").write_text(json.dumps(describe(discs)))


def pack(source: DatasetSource, folder: Path, ends: list[int]) -> None:
    """Write a copy of a store whose runs are packed, in the order of their keys: a shard from each end to the next."""
    store = FolderStore(Path(shutil.copytree(source.store.location, folder)))
    keys = sorted(store.iterate_keys())
    for first, last in pairwise(ends):
        pack_runs(store, store, keys[first:last])


def write_masks(source: DatasetSource, file: Path) -> None:
    """Write the visible mask of each particle of a dataset's only run, by its id, and its agglomerates."""
    (row,) = source.iterate_rows(["folder"])
    folder = Path(source.store.location) / row["folder"]
    notes = json.loads((folder / "annotations.json").read_text())["particles"]
    masks = {str(note["id"]): coco_mask.decode(note["visible"]) for note in notes}
    numbers = cv2.imread(str(folder / "agglomerates.png"), cv2.IMREAD_UNCHANGED)
    np.savez_compressed(file, agglomerates=numbers, **masks)


def describe(source: DatasetSource) -> list[dict[str, Any]]:
    """Return what the reader must find in each run."""
    rows = source.iterate_rows(["run", "key", "seed", "split", SEED, NUMBER])
    return [{**row, **describe_files(source, row["key"])} for row in rows]


def describe_files(source: DatasetSource, key: str) -> dict[str, Any]:
    """Return pixels as lists, and the ids of the particle table."""
    manifest = source.store.read_manifest(key)
    folder = Path(source.store.location) / run_path(key, manifest.c8)
    pictures = {name: cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in ("real", "instances")}
    ids = list(range(1, manifest.particles + 1))
    return {"ids": ids, "visible": len(np.unique(pictures["instances"])) - 1} | {
        name: pixels.tolist() for name, pixels in pictures.items()
    }


if __name__ == "__main__":
    write_stores(Path(sys.argv[1]))
