"""The files with the labels of one run: picture of ids, annotations, particle table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from synth_dataset.documents.layout import ANNOTATIONS, INSTANCES, PARTICLES, run_path
from synth_dataset.documents.particle_table import parse_table
from synth_dataset.documents.png import decode_png
from synth_dataset.documents.rle import check_run_lengths
from synth_dataset.verification.fault import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

_MASKS: Final = ("visible", "amodal")
_KEYS: Final = ("id", "category", "area", "bbox", *_MASKS)
_COLUMNS: Final = ("id", "visible_px", "blueprint")
_OPTIONAL_COLUMNS: Final = ("labelled", "nearest_px")


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
    def masks_overlap(self) -> bool:
        """True if particles shine through: `instances.png` then has the nearest one of each pixel."""
        return "nearest_px" in self.table.column_names

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
    """A file of a run cannot be decoded, or lacks what every such file has."""

    def __init__(self, file: str, expected: str, found: str = "a file that cannot be read") -> None:
        super().__init__(expected)
        self.file = file
        self.found = found


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
    notes = _parse_notes(read(ANNOTATIONS), (manifest.width, manifest.height))
    content = read(PARTICLES)
    try:
        table = parse_table(content)
        table = table.select([*_COLUMNS, *(name for name in table.column_names if name in _OPTIONAL_COLUMNS)])
    except (pa.ArrowException, KeyError):
        raise UnreadableError(PARTICLES, f"a Parquet file with {', '.join(_COLUMNS)}") from None
    return RunLabels(_group_pixels(ids), (ids.shape[1], ids.shape[0]), notes, table)


def _parse_notes(content: bytes, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Return the particles of annotations, whose masks can be decoded. Raises UnreadableError."""
    try:
        notes: list[dict[str, Any]] = json.loads(content)["particles"]
        lacking = [(note["id"], key) for note in notes for key in _KEYS if key not in note]
    except (ValueError, LookupError, TypeError):
        raise UnreadableError(ANNOTATIONS, f"JSON of particles with {', '.join(_KEYS)}") from None
    if lacking:
        raise UnreadableError(ANNOTATIONS, "particle {} with {}".format(*lacking[0]), NOTHING)
    for note in notes:
        for kind in _MASKS:
            _check_mask(note, kind, size)
    return notes


def _check_mask(note: Mapping[str, Any], kind: str, size: tuple[int, int]) -> None:
    width, height = size
    try:
        if note[kind]["size"] != [height, width]:
            raise ValueError(note[kind]["size"])
        check_run_lengths(note[kind]["counts"], width * height)
    except (LookupError, TypeError, ValueError):
        expected = f"{kind} of particle {note['id']} as a mask of {width} x {height} px"
        raise UnreadableError(ANNOTATIONS, expected, "another value") from None


def _group_pixels(ids: NDArray[Any]) -> dict[int, NDArray[np.int32]]:
    flat = ids.reshape(-1)
    places = np.flatnonzero(flat).astype(np.int32)
    order = places[np.argsort(flat[places], kind="stable")]
    found, first = np.unique(flat[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, first[1:]), strict=True)) if len(found) else {}
