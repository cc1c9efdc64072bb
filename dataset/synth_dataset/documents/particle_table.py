"""`particles.parquet`: one row per particle, including particles outside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Column = tuple[NDArray[Any], NDArray[np.bool_]]
    """Values (N, …) and a mask (N,) of the values that are not null."""

COLUMNS: Final[dict[str, tuple[pa.DataType, str, str]]] = {
    "id": (pa.int32(), "", "value in instances.png, from 1"),
    "name": (pa.string(), "", "object name"),
    "blueprint": (pa.string(), "", "particle blueprint"),
    **{axis: (pa.float64(), "scene units", f"centre, {axis}") for axis in "xyz"},
    **{f"q{part}": (pa.float64(), "", f"orientation, unit quaternion, {part}") for part in "wxyz"},
    **{f"size_{axis}": (pa.float64(), "scene units", f"full extent along its own {axis} axis") for axis in "xyz"},
    "column": (pa.float64(), "px", "projected centre, pixel centres at .5"),
    "row": (pa.float64(), "px", "projected centre, pixel centres at .5"),
    **{f"box_{side}": (pa.int32(), "px", "box of the visible mask, right and bottom exclusive; null if hidden")
       for side in ("left", "top", "right", "bottom")},
    "visible_px": (pa.int64(), "px", "pixels that show it"),
    "amodal_px": (pa.int64(), "px", "pixels of its whole silhouette, hidden or not, inside the picture"),
    "visible_fraction": (pa.float64(), "", "visible_px / amodal_px; null outside the picture"),
    "equivalent_diameter": (pa.float64(), "px", "diameter of the disc of area amodal_px"),
    "feret_min": (pa.float64(), "px", "smallest caliper diameter of the silhouette"),
    "feret_max": (pa.float64(), "px", "largest caliper diameter of the silhouette"),
    "volume": (pa.float64(), "scene units^3", "of the body"),
    "surface": (pa.float64(), "scene units^2", "of the body"),
    "touches_border": (pa.bool_(), "", "whether the silhouette is cut by the picture's border"),
}  # fmt: skip
"""Column -> type, unit, meaning, in the order of the file."""

OPTIONAL_COLUMNS: Final[dict[str, tuple[pa.DataType, str, str]]] = {
    "labelled": (pa.bool_(), "", "whether labels show it; only in runs with a minimum_visible_fraction"),
}
"""Columns that not every run has, after the others."""


def build_particle_table(columns: Mapping[str, Column], features: Mapping[str, Column]) -> pa.Table:
    """Return the table of columns and features; a feature becomes the columns `feature.<name>[.x …]`."""
    fields, arrays = [], []
    optional = {name: entry for name, entry in OPTIONAL_COLUMNS.items() if name in columns}
    for name, (kind, unit, meaning) in (COLUMNS | optional).items():
        fields.append(pa.field(name, kind, metadata={"unit": unit, "meaning": meaning}))
        arrays.append(_to_array(*columns[name], kind))
    for name in sorted(features):
        for column, values, present in _split_feature(name, *features[name]):
            array = _to_array(values, present, None)
            fields.append(pa.field(column, array.type))
            arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def build_feature_table(names: list[str], features: Mapping[str, Column]) -> pa.Table:
    """Return a table of object names and features only, for `do_save_features`."""
    arrays = {"name": pa.array(names, pa.string())}
    for name in sorted(features):
        for column, values, present in _split_feature(name, *features[name]):
            arrays[column.removeprefix("feature.")] = _to_array(values, present, None)
    return pa.table(arrays)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file (zstd). Raises OSError on a full disk."""
    with path.open("wb") as stream:  # pyarrow parses a path with a colon as a URI
        pq.write_table(table, stream, compression="zstd")


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file as `write_table` wrote it."""
    with path.open("rb") as stream:
        return pq.read_table(stream)


def _split_feature(
    name: str, values: NDArray[Any], present: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.bool_]]]:
    if values.ndim == 1:
        yield f"feature.{name}", values, present
        return
    for index, part in enumerate("rgba" if values.shape[1] == 4 else "xyz"):
        yield f"feature.{name}.{part}", values[:, index], present


def _to_array(values: NDArray[Any], present: NDArray[np.bool_], kind: pa.DataType | None) -> pa.Array:
    if values.dtype != object:
        return pa.array(values, kind, mask=~present)
    plain = [value if is_present else None for value, is_present in zip(values, present, strict=True)]
    if len({type(value) for value in plain if value is not None}) > 1 or any(isinstance(v, tuple) for v in plain):
        plain = [None if value is None else str(value) for value in plain]
    return pa.array(plain, kind or (pa.string() if not any(p is not None for p in plain) else None))
