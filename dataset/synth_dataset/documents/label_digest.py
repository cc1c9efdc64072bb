"""The label digest: equal when all labels of two runs are equal, whatever wrote their files.

sha256 over, in this order: for each label picture by its path, the path, the shape, the type and the pixels; for each
column of the particle table, the name, the type and the values (null marked); the annotations as canonical JSON.
Every text goes in as UTF-8 behind its length, every array as little-endian bytes behind its length of 8 bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import rfc8785

from synth_dataset.documents.layout import is_label_picture
from synth_dataset.documents.particle_table import read_table
from synth_dataset.documents.pictures import read_png

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def label_digest(
    pictures: Mapping[str, NDArray[np.uint8] | NDArray[np.uint16]], table: pa.Table, annotations: dict[str, Any]
) -> str:
    """64 hexadecimal digits; `pictures` by path in the run's folder."""
    digest = hashlib.sha256()
    for part in (*_pictures(pictures), *_columns(table), rfc8785.dumps(annotations)):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """The digest of a run on disk, to hold against its manifest's `label_digest`."""
    paths = (file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))
    return label_digest(
        {path: read_png(folder / path) for path in paths if is_label_picture(path)},
        read_table(folder / "particles.parquet"),
        json.loads((folder / "annotations.json").read_bytes()),
    )


def _pictures(pictures: Mapping[str, NDArray[np.uint8] | NDArray[np.uint16]]) -> Iterable[bytes]:
    for path, pixels in sorted(pictures.items()):
        yield f"{path} {pixels.shape} {pixels.dtype.name}".encode()
        yield pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def _columns(table: pa.Table) -> Iterable[bytes]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        yield f"{name} {column.type}".encode()
        values = column.to_pylist()
        if pa.types.is_floating(column.type):
            yield np.array([value is None for value in values]).tobytes()
            yield np.array([value or 0.0 for value in values], dtype="<f8").tobytes()
        else:
            yield rfc8785.dumps(values)
