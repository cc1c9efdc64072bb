"""Writes small datasets and their exports in every format, and `truth.json` with what a reader must find in them.

    .venv/bin/python tests/readers/make_exports.py FOLDER [DATASET…]

Datasets are discs that hide each other, some pictures empty, and each DATASET, a folder that `synth render` wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from disc_datasets import DiscSweep, render_big_picture, render_discs

from synth_api.splits import Splits, parse_rule
from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.documents.layout import run_path
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore

KINDS: dict[str, dict[str, Any]] = {
    "coco": {"format": "coco"},
    "coco-rle": {"format": "coco", "masks": "rle"},
    "yolo": {"format": "yolo"},
    "cellpose": {"format": "pairs", "layout": "cellpose"},
    "stardist": {"format": "pairs", "layout": "stardist"},
    "webdataset": {"format": "webdataset"},
    "huggingface": {"format": "huggingface"},
}
SPLITS = Splits(rules=(parse_rule("initial_runtime_state.seed=1:val"),))
"""Runs of seed 1 are for validation, so that each dataset has known splits."""


def iterate_datasets(folder: Path, rendered: list[Path]) -> Iterator[tuple[str, list[DatasetSource]]]:
    """Yield name and sources of each dataset."""
    discs = render_discs(FolderStore(folder / "discs"), DiscSweep())
    yield "discs", [discs]
    yield "none", [render_discs(FolderStore(folder / "none"), DiscSweep("none", (0, 1), (), ("Bead",)))]
    yield "one", [render_discs(FolderStore(folder / "one"), DiscSweep("one", (0,), (4,)))]
    yield "empty", [render_discs(FolderStore(folder / "empty"), DiscSweep("empty", (0, 1), (0,)))]
    yield "big", [render_big_picture(FolderStore(folder / "big"))]
    more = render_discs(FolderStore(folder / "more"), DiscSweep("more", (1, 7), (3,), ("Apple", "Bead")))
    yield "joined", [discs, more]
    for path in rendered:
        yield path.name, [find_source(FolderStore(path), None)]


def describe(sources: list[DatasetSource]) -> dict[str, Any]:
    """Return runs, objects and pixels of their masks, by split, from the labels of the runs."""
    truth: dict[str, dict[str, Any]] = {split: {"runs": {}} for split in ("train", "val")}
    first = 0
    for source in sources:
        for row in source.iterate_rows(["run", "key", "seed"]):
            manifest = source.store.read_manifest(row["key"])
            content = source.store.read(f"{run_path(manifest.key, manifest.c8)}/instances.png")
            ids = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
            pixels = np.bincount(ids.ravel())[1:]
            split = "val" if row["seed"] == 1 else "train"
            described = {"number": first + row["run"], "size": ids.shape, "pixels": pixels[pixels > 0].tolist()}
            truth[split]["runs"].setdefault(row["key"], described)
        first += source.attempt.runs
    return truth


def export_overlapping(folder: Path) -> None:
    """Write an export of discs that shine through and are agglomerates, as the one format whose reader knows both."""
    sweep = DiscSweep("overlapping", (1,), (0, 11), overlap=True, agglomerates=True)
    source = render_discs(FolderStore(folder / "datasets" / sweep.name), sweep)
    target = Target(FolderStore(folder / "exports" / sweep.name / "huggingface"))
    prepare_export([source], ExportOptions(format="huggingface"), target).write()


def main(folder: Path, rendered: list[Path]) -> None:
    """Write all datasets and exports."""
    truth: dict[str, Any] = {}
    for name, sources in iterate_datasets(folder / "datasets", rendered):
        truth[name] = {"truth": describe(sources), "exports": {}}
        for kind, options in KINDS.items():
            out = folder / "exports" / name / kind
            export = prepare_export(sources, ExportOptions(splits=SPLITS, **options), Target(FolderStore(out)))
            export.write()
            truth[name]["exports"][kind] = {"folder": str(out), "loading": export.loading}
            truth[name]["classes"] = [
                one["name"] for one in json.loads((out / "dataset.json").read_bytes())["categories"]
            ]
    export_overlapping(folder)
    (folder / "truth.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
