"""Rows of the gallery in pieces: scripts beside the page, because a page that is opened from disk cannot fetch data."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synth_dataset.documents.annotations import parse_annotations
from synth_dataset.documents.layout import ANNOTATIONS, THUMBNAIL
from synth_dataset.documents.table_stream import iterate_batches
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.size_histogram import RunSizes, compute_diameters, summarize_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.views.dataset_run import ViewedRun

ROWS: Final = 4096
"""Runs of a piece."""
PIECE_BYTES: Final = 4 << 20
"""A piece of masks or thumbnails ends with the run that reaches this size."""
COLUMNS: Final = ("run", "seed", "particles", "visible", "seconds", "split", "folder")
"""Columns of `index.parquet` that rows have, beside axes and pictures."""


def iterate_run_pieces(index: Path, particles: Path, axes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the runs of `index.parquet` as pieces, with the sizes in the pooled `particles.parquet`.

    Memory holds one piece and one row group.
    """
    groups = _iterate_sizes(particles)
    sizes: dict[int, RunSizes] = {}
    with index.open("rb") as stream:
        file = pq.ParquetFile(stream)
        for batch in iterate_batches(file, ROWS, file.schema_arrow.names):
            last = batch.column("run")[-1].as_py()
            while max(sizes, default=-1) < last and (group := next(groups, None)) is not None:
                sizes |= group
            yield build_run_piece(pa.Table.from_batches([batch]), sizes, axes)
            sizes = {run: size for run, size in sizes.items() if run > last}


def build_run_piece(index: pa.Table, sizes: Mapping[int, RunSizes], axes: Sequence[str]) -> dict[str, Any]:
    """Return rows of `index.parquet` as a piece; an axis that the table lacks is null."""
    piece: dict[str, Any] = {name: index.column(name).to_pylist() for name in COLUMNS}
    names = index.schema.names
    piece["seconds"] = [round(seconds, 3) for seconds in piece["seconds"]]
    piece["values"] = [index.column(axis).to_pylist() if axis in names else [None] * len(index) for axis in axes]
    pictures = [tuple(paths) for paths in index.column("pictures").to_pylist()]
    sets = {paths: number for number, paths in enumerate(dict.fromkeys(pictures))}
    piece |= {"sets": list(sets), "set": [sets[paths] for paths in pictures]}
    found = [sizes.get(run) for run in piece["run"]]
    return piece | {name: [size and getattr(size, name) for size in found] for name in RunSizes._fields}


def iterate_failure_pieces(failures: Sequence[FailedRun], axes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield failed runs as pieces."""
    for start in range(0, len(failures), ROWS):
        yield build_failure_piece(failures[start : start + ROWS], axes)


def build_failure_piece(failures: Sequence[FailedRun], axes: Sequence[str]) -> dict[str, Any]:
    """Return failed runs as a piece; its rows have a reason and a message, and no pictures."""
    return {
        "run": [failure.number for failure in failures],
        "values": [[failure.overrides.get(axis) for failure in failures] for axis in axes],
        "reason": [failure.reason for failure in failures],
        "message": [failure.message for failure in failures],
    }


def write_pieces(folder: Path, pieces: Iterable[Mapping[str, Any]]) -> int:
    """Write each piece as `runs-<number>.js`; return how many there are."""
    number = 0
    for number, piece in enumerate(pieces, start=1):
        (folder / f"runs-{number - 1:05}.js").write_bytes(b"synthGallery.add(" + dump_json(piece) + b");\n")
    return number


def write_masks(folder: Path, runs: Sequence[ViewedRun], threads: int) -> list[int]:
    """Write the masks of runs in run order as `masks-<number>.js`; return the first run of each piece.

    Raises OSError if the annotations of a run cannot be read, DocumentError if they are not JSON.
    """
    contents = read_ahead(lambda run: _build_masks(run), runs, threads)
    return _write_run_pieces(folder, "masks", "addMasks", runs, contents)


def write_thumbnails(folder: Path, runs: Sequence[ViewedRun], threads: int) -> list[int]:
    """Write the thumbnails of packed runs, as `write_masks`: a page cannot show pictures in a shard.

    Raises OSError if the thumbnail of a run cannot be read.
    """
    packed = [run for run in runs if run.store.shards.locate(f"{run.folder}/{THUMBNAIL}") is not None]
    contents = read_ahead(lambda run: dump_json(_to_data_url(run.read(THUMBNAIL))), packed, threads)
    return _write_run_pieces(folder, "thumbnails", "addThumbnail", packed, contents)


def _write_run_pieces(
    folder: Path, name: str, function: str, runs: Sequence[ViewedRun], contents: Iterable[bytes]
) -> list[int]:
    """Write calls of a function of the page, with a JSON value of each run; return the first run of each piece."""
    first: list[int] = []
    lines: list[bytes] = []
    for run, content in zip(runs, contents, strict=True):
        if not lines:
            first.append(run.number)
        lines.append(f"synthGallery.{function}({run.number},".encode() + content + b");\n")
        if sum(map(len, lines)) >= PIECE_BYTES or run is runs[-1]:
            (folder / f"{name}-{len(first) - 1:05}.js").write_bytes(b"".join(lines))
            lines = []
    return first


def _to_data_url(picture: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(picture).decode()}"


def dump_json(value: Any) -> bytes:
    """Return a value as ASCII JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def _build_masks(run: ViewedRun) -> bytes:
    """Return what the page draws of `annotations.json`, written again: as a script a foreign file could do anything."""
    document = parse_annotations(run.read(ANNOTATIONS), f"annotations of run {run.number}")
    particles = [
        {"id": one["id"], "category": one["category"], "bbox": one["bbox"], "visible": one["visible"]}
        for one in document["particles"]
    ]
    return dump_json({"width": document["width"], "height": document["height"], "particles": particles})


def _iterate_sizes(particles: Path) -> Iterator[dict[int, RunSizes]]:
    """Yield the sizes of runs for each row group of a pooled table; all rows of a run are in one."""
    with particles.open("rb") as stream:
        file = pq.ParquetFile(stream)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=["run", "volume"])
            volumes = pc.fill_null(table["volume"], np.nan).to_numpy()
            yield summarize_sizes(table["run"].to_numpy(), compute_diameters(volumes))
