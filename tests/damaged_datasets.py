"""Faults that a check of a dataset names, and files that are damaged for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.verification.dataset_check import check_dataset
from synth_dataset.verification.depth import Depth

QUICK, FULL, DEEP = Depth(contents=False), Depth(), Depth(labels=True)
RENDERS = "synth verify --repair renders run 1 again"
WRITES = "synth verify --repair writes the documents of the dataset again"


def list_faults(source: DatasetSource, depth: Depth) -> list[str]:
    """Sentences, with paths relative to the dataset and without the folders of runs."""
    again = find_source(source.store, source.dataset.name)
    sentences = [fault.sentence for checked in check_dataset(again, depth) for fault in checked.faults]
    folder = f"{source.store.root}/"
    return [sentence.removeprefix(folder).replace(f"{source.dataset.folder}/", "") for sentence in sentences]


def find_run(source: DatasetSource, number: int = 1) -> Path:
    folders = [row["folder"] for row in source.iterate_rows(("folder",))]
    return source.store.root / folders[number]


def find_document(source: DatasetSource, name: str) -> Path:
    return source.store.root / source.dataset.folder / name


def run_file(source: DatasetSource, name: str) -> str:
    return str((find_run(source) / name).relative_to(source.store.root))


def flip_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def rewrite_file(source: DatasetSource, name: str, change: Callable[[Path], None]) -> None:
    """Change a file of run 1 as a faulty program would that commits it: the manifest names the new file."""
    folder = find_run(source)
    key = folder.parent.name
    manifest = source.store.read_manifest(key)
    with source.store.open_scratch("again") as scratch:
        for file in folder.iterdir():
            (scratch / file.name).write_bytes(file.read_bytes())
        change(scratch / name)
        source.store.commit_run(scratch, manifest)
