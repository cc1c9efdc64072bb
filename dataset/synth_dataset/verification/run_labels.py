"""The labels of one run against each other: picture of ids, annotations, particle table, manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from synth_dataset.documents.layout import ANNOTATIONS, INSTANCES, PARTICLES, run_path
from synth_dataset.documents.particle_table import parse_table
from synth_dataset.documents.png import decode_png
from synth_dataset.documents.rle import encode_mask
from synth_dataset.verification.fault import Fault, explain_remedy
from synth_dataset.verification.stored_files import format_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

_KEYS: Final = frozenset({"id", "category", "area", "bbox", "visible"})
_COLUMNS: Final = ("id", "visible_px", "blueprint")
_SHOWN: Final = 5
"""Ids that a sentence lists at most."""


@dataclass(frozen=True)
class RunLabels:
    """Labels of a run, each from its own file."""

    pixels: dict[int, NDArray[np.int32]]
    """Particle id -> its pixels in `instances.png` as ascending flat indices (P,)."""
    size: tuple[int, int]
    """Width and height of `instances.png`."""
    notes: list[dict[str, Any]]
    """Particles of `annotations.json`."""
    table: pa.Table

    @property
    def is_labelled(self) -> list[bool]:
        """For each row of the table whether labels show the particle; some below a minimum visibility they do not."""
        names = self.table.column_names
        return self.table["labelled"].to_pylist() if "labelled" in names else [True] * len(self.table)

    def count_omissions(self) -> int:
        """Return the number of visible particles that labels do not show."""
        rows = zip(self.table["visible_px"].to_pylist(), self.is_labelled, strict=True)
        return sum(pixels > 0 and not is_labelled for pixels, is_labelled in rows)


class UnreadableError(Exception):
    """A file of a run cannot be decoded."""

    def __init__(self, file: str, expected: str) -> None:
        super().__init__(expected)
        self.file = file


def read_labels(store: Store, manifest: Manifest) -> RunLabels:
    """Read the labels of a run. Raises UnreadableError, FileNotFoundError, StoreError."""
    folder = run_path(manifest.key, manifest.c8)

    def read(name: str) -> bytes:
        return store.read(f"{folder}/{name}")

    content = read(INSTANCES)
    try:
        ids = decode_png(content, INSTANCES)
    except OSError:
        raise UnreadableError(INSTANCES, "a picture") from None
    try:
        notes: list[dict[str, Any]] = json.loads(read(ANNOTATIONS))["particles"]
        if not all(note.keys() >= _KEYS for note in notes):
            raise LookupError(ANNOTATIONS)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UnreadableError(ANNOTATIONS, f"JSON of particles with {', '.join(sorted(_KEYS))}") from None
    content = read(PARTICLES)
    try:
        table = parse_table(content)
        table = table.select([*_COLUMNS, *(name for name in table.column_names if name == "labelled")])
    except (pa.ArrowException, KeyError):
        raise UnreadableError(PARTICLES, f"a Parquet file with {', '.join(_COLUMNS)}") from None
    return RunLabels(_group_pixels(ids), (ids.shape[1], ids.shape[0]), notes, table)


def _group_pixels(ids: NDArray[Any]) -> dict[int, NDArray[np.int32]]:
    flat = ids.reshape(-1)
    places = np.flatnonzero(flat).astype(np.int32)
    order = places[np.argsort(flat[places], kind="stable")]
    found, first = np.unique(flat[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, first[1:]), strict=True)) if len(found) else {}


def compare_labels(store: Store, run: int, manifest: Manifest, labels: RunLabels) -> Iterator[Fault]:
    """Yield the faults of a run's labels: each file against the pixels of `instances.png`."""
    folder, remedy = run_path(manifest.key, manifest.c8), explain_remedy(run)

    def describe(file: str, expected: str, found: str) -> Fault:
        return Fault(format_place(store, f"{folder}/{file}"), expected, found, remedy, run)

    size = (manifest.width, manifest.height)
    if labels.size != size:
        yield describe(INSTANCES, "{} x {} px, as in the manifest".format(*size), "{} x {} px".format(*labels.size))
        return
    noted = [note["id"] for note in labels.notes]
    if extra := sorted(labels.pixels.keys() - set(noted)):
        yield describe(INSTANCES, f"only ids of {ANNOTATIONS}", f"{format_ids(extra)} too")
    if lacking := sorted(set(noted) - labels.pixels.keys()):
        yield describe(INSTANCES, f"pixels of {format_ids(lacking)}, as in {ANNOTATIONS}", "none")
    if len(noted) != (expected_notes := manifest.visible - labels.count_omissions()):
        yield describe(ANNOTATIONS, f"{expected_notes:,} visible particles, as in the manifest", f"{len(noted):,}")
    if len(labels.table) != manifest.particles:
        yield describe(PARTICLES, f"{manifest.particles:,} rows, as in the manifest", f"{len(labels.table):,}")
    for name, number, expected, found in (*_compare_masks(labels), *_compare_table(labels)):
        yield describe(name, f"{expected} of particle {number}, as in {INSTANCES}", found)
    for number, expected, found in _compare_blueprints(labels):
        yield describe(PARTICLES, f"blueprint {expected} of particle {number}, as in {ANNOTATIONS}", found)


def format_ids(ids: Iterable[int]) -> str:
    """Return `id 7`, or `ids 7, 8 and 40 more`."""
    numbers = list(ids)
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
    return f"{'id' if len(numbers) == 1 else 'ids'} {shown}{more}"


def _compare_masks(labels: RunLabels) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, particle, what is expected and found where an annotation differs from the picture."""
    width, height = labels.size
    for note in labels.notes:
        pixels = labels.pixels.get(note["id"])
        if pixels is None:
            continue
        rows, columns = np.divmod(pixels, width)
        left, top = int(columns.min()), int(rows.min())
        box = [left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        if note["area"] != len(pixels):
            yield ANNOTATIONS, note["id"], f"area {len(pixels):,}", f"{note['area']:,}"
        if note["bbox"] != box:
            yield ANNOTATIONS, note["id"], f"bbox {box}", str(note["bbox"])
        if note["visible"] != encode_mask(pixels, width, height):
            yield ANNOTATIONS, note["id"], "the mask", "another one"


def _compare_table(labels: RunLabels) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, particle, what is expected and found where a row differs from the picture."""
    ids = labels.table["id"].to_pylist()
    visible = labels.table["visible_px"].to_pylist()
    for number in sorted(labels.pixels.keys() - set(ids)):
        yield PARTICLES, number, "a row", "none"
    for number, pixels, is_labelled in zip(ids, visible, labels.is_labelled, strict=True):
        expected = len(labels.pixels.get(number, ()))
        if is_labelled and pixels != expected:
            yield PARTICLES, number, f"visible_px {expected:,}", f"{pixels:,}"


def _compare_blueprints(labels: RunLabels) -> Iterator[tuple[int, str, str]]:
    blueprints = dict(zip(labels.table["id"].to_pylist(), labels.table["blueprint"].to_pylist(), strict=True))
    for note in labels.notes:
        found = blueprints.get(note["id"], note["category"])
        if found != note["category"]:
            yield note["id"], note["category"], found
