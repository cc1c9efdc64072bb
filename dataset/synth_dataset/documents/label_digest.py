"""Label digest: equal for two runs with equal labels, independent of file compression.

The sha256 of, in this order: path, shape, type and pixels of each label picture, sorted by path; name, type, null mask
and values of each column of the particle table, features that no particle of the run has left out; the annotations as
canonical JSON. Text is UTF-8, arrays are little-endian; each part follows its length as 8 bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import rfc8785

from synth_dataset.documents.layout import is_label_picture
from synth_dataset.documents.particle_table import read_table, restore_digest_columns
from synth_dataset.documents.pictures import read_png

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def compute_label_digest(
    pictures: Mapping[str, NDArray[np.uint8] | NDArray[np.uint16]], table: pa.Table, annotations: dict[str, Any]
) -> str:
    """Return 64 hexadecimal digits; `pictures` are pixels by path in the folder of the run."""
    digest = hashlib.sha256()
    for part in (
        *_encode_pictures(pictures),
        *_encode_columns(restore_digest_columns(table)),
        rfc8785.dumps(annotations),
    ):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def compute_folder_digest(folder: Path) -> str:
    """Return the digest of a run on disk, to compare with `label_digest` of its manifest."""
    paths = (file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))
    return compute_label_digest(
        {path: read_png(folder / path) for path in paths if is_label_picture(path)},
        read_table(folder / "particles.parquet"),
        json.loads((folder / "annotations.json").read_bytes()),
    )


def _encode_pictures(pictures: Mapping[str, NDArray[np.uint8] | NDArray[np.uint16]]) -> Iterable[bytes]:
    for path, pixels in sorted(pictures.items()):
        yield f"{path} {pixels.shape} {pixels.dtype.name}".encode()
        yield pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()


def _encode_columns(table: pa.Table) -> Iterable[bytes]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        yield f"{name} {column.type}".encode()
        values = column.to_pylist()
        if pa.types.is_floating(column.type):
            yield np.array([value is None for value in values]).tobytes()
            yield np.array([value or 0.0 for value in values], dtype="<f8").tobytes()
        else:
            yield rfc8785.dumps(values)
