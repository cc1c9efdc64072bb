"""`particles.parquet`: one row per particle, including particles outside the picture.

All runs of a recipe have the same columns: `COLUMNS`, those of `OPTIONAL_COLUMNS` that the recipe asks for, and the
feature columns of the recipe (`synth_api.recipe.feature_columns`), null where a particle lacks the feature.

The label digest of a run covers a feature only if a particle of the run has it, in the type of the values that the run
has. Where this differs from the file, the metadata of the field say it: `digest_type` is that type, or `none`;
`whole_rows` lists the rows whose number is a whole one, if numbers of both kinds are text to the digest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.prototypes.feature import FeatureType
from synth_api.recipe.feature_columns import list_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
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
    "nearest_px": (pa.int64(), "px", "its pixels in instances.png; only in runs whose particles shine through"),
    "agglomerate": (pa.int32(), "", "its agglomerate, from 1; null in none; as all of these only with the step for it"),
    "primaries": (pa.int32(), "", "primary particles of the agglomerate"),
    "contacts": (pa.int32(), "", "contacts of the particle within its agglomerate"),
    "gyration_radius": (pa.float64(), "scene units", "radius of gyration of the agglomerate"),
    "fractal_prefactor": (pa.float64(), "", "k in n = k (gyration_radius / mean radius)^D, D that of the mode"),
    "fibre_length": (pa.float64(), "scene units", "centre line of a fibre from end to end; null for other particles"),
    "fibre_width": (pa.float64(), "scene units", "mean width along it; both only in runs of a recipe with fibres"),
}
"""Columns that not every recipe has, after the others."""

FEATURE_TYPES: Final = {
    FeatureType.FLOAT: pa.float64(),
    FeatureType.INT: pa.int64(),
    FeatureType.BOOL: pa.bool_(),
    FeatureType.STRING: pa.string(),
}
_PARTS: Final = "xyzrgba"
_DIGEST_TYPE: Final = b"digest_type"
_WHOLE_ROWS: Final = b"whole_rows"
_NOT_COVERED: Final = b"none"


def build_particle_table(
    columns: Mapping[str, Column], features: Mapping[str, Column], feature_columns: Mapping[str, FeatureType]
) -> pa.Table:
    """Return the table of columns and features; `feature_columns` are those of the recipe, `feature.` in the table."""
    optional = {name: entry for name, entry in OPTIONAL_COLUMNS.items() if name in columns}
    fields = list_fields(COLUMNS | optional)
    arrays = [_to_array(*columns[field.name], field.type) for field in fields]
    given = {column: data for name in features for column, *data in _split_feature(name, *features[name])}
    for name, feature_type in feature_columns.items():
        field, array = _build_feature(f"feature.{name}", FEATURE_TYPES[feature_type], given.get(name), len(arrays[0]))
        fields.append(field)
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def list_fields(entries: Mapping[str, tuple[pa.DataType, str, str]]) -> list[pa.Field]:
    """Return the fields of columns with their units and meanings."""
    return [
        pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})
        for name, (kind, unit, meaning) in entries.items()
    ]


def join_columns(one: pa.Schema, other: pa.Schema) -> pa.Schema:
    """Return the columns of two tables in the order of a table, features without metadata.

    A column of two types is float if both are numbers, else text.
    """
    fields = {field.name: field for field in list_fields(COLUMNS | OPTIONAL_COLUMNS)}
    types = {field.name: field.type for field in one}
    for field in other:
        types[field.name] = _join_types(types.get(field.name, field.type), field.type)
    return pa.schema(
        fields.get(name, pa.field(name, types[name])).with_type(types[name]) for name in sorted(types, key=_find_place)
    )


def fit_columns(table: pa.Table, columns: pa.Schema) -> pa.Table:
    """Return the table with these columns and their types; one that it lacks is null."""
    names = set(table.column_names)
    arrays = [
        table.column(field.name).cast(field.type) if field.name in names else pa.nulls(len(table), field.type)
        for field in columns
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def _join_types(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other:
        return one
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()


def _find_place(column: str) -> tuple[int, str, int]:
    """Return what columns are sorted by: fixed ones in their order, features by name, then by part."""
    known = [*COLUMNS, *OPTIONAL_COLUMNS]
    if column in known:
        return known.index(column), "", 0
    name, _, part = column.rpartition(".")
    position = _PARTS.find(part) if len(part) == 1 else -1
    return len(known), name if position >= 0 else column, position


def _build_feature(
    name: str, kind: pa.DataType, data: Sequence[NDArray[Any]] | None, rows: int
) -> tuple[pa.Field, pa.Array]:
    """Return field and values of a feature column, of type `kind`; `data` are values and mask, None without any."""
    if data is None:
        return pa.field(name, kind, metadata={_DIGEST_TYPE: _NOT_COVERED}), pa.nulls(rows, kind)
    values, present = data
    array = _to_array(values, present, None)
    if array.type == kind:
        return pa.field(name, kind), array
    metadata = {_DIGEST_TYPE: str(array.type).encode()}
    plain = [value if is_present else None for value, is_present in zip(values.tolist(), present, strict=True)]
    if kind == pa.float64() and pa.types.is_string(array.type):
        metadata[_WHOLE_ROWS] = json.dumps([row for row, value in enumerate(plain) if isinstance(value, int)]).encode()
    convert = float if kind == pa.float64() else str
    return pa.field(name, kind, metadata=metadata), pa.array([None if v is None else convert(v) for v in plain], kind)


def restore_digest_columns(table: pa.Table) -> pa.Table:
    """Return the columns that the label digest covers, each in the type that it covers."""
    for field in table.schema:
        metadata = field.metadata or {}
        if (kind := metadata.get(_DIGEST_TYPE)) is None:
            continue
        index = table.schema.get_field_index(field.name)
        if kind == _NOT_COVERED:
            table = table.remove_column(index)
            continue
        whole = frozenset(json.loads(metadata.get(_WHOLE_ROWS, b"[]")))
        values = [
            None if value is None else _restore_value(value, kind.decode(), whole=row in whole)
            for row, value in enumerate(table.column(index).to_pylist())
        ]
        table = table.set_column(index, field.name, pa.array(values, pa.type_for_alias(kind.decode())))
    return table


def _restore_value(value: float | str, kind: str, *, whole: bool) -> float | str:
    match kind:
        case "bool":
            return value == "True"
        case "int64":
            return int(value)
        case "double":
            return float(value)
    return str(int(value) if whole else value)


def build_feature_table(names: list[str], features: Mapping[str, Column]) -> pa.Table:
    """Return a table of object names and features only, for `do_save_features`."""
    arrays = {"name": pa.array(names, pa.string())}
    for name in sorted(features):
        for column, values, present in _split_feature(name, *features[name]):
            arrays[column] = _to_array(values, present, None)
    return pa.table(arrays)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file. Raises OSError on a full disk.

    A run has few rows and many columns: dictionaries and statistics make its file larger, and zstd costs more time per
    column than the rest of reading it.
    """
    with path.open("wb") as stream:  # pyarrow parses a path with a colon as a URI
        pq.write_table(table, stream, compression="snappy", use_dictionary=False, write_statistics=False)


def parse_table(content: bytes) -> pa.Table:
    """Return the table in a Parquet file's content, read by one thread. Raises pyarrow.ArrowInvalid.

    `pq.ParquetFile` reads the same, but looks for nested columns first: a seventh of the time of a run's table.
    """
    reader = pq.ParquetReader()
    try:
        reader.open(pa.BufferReader(content), use_memory_map=False, pre_buffer=False)
        return reader.read_all(use_threads=False)
    except OSError as error:  # of pyarrow, for most damaged Parquet
        raise pa.ArrowInvalid(str(error)) from error


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file as `write_table` wrote it."""
    with path.open("rb") as stream:
        return pq.read_table(stream)


def _split_feature(
    name: str, values: NDArray[Any], present: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.bool_]]]:
    if values.ndim == 1:
        yield name, values, present
        return
    for index, part in enumerate(list_parts(values.shape[1])):
        yield f"{name}.{part}", values[:, index], present


def _to_array(values: NDArray[Any], present: NDArray[np.bool_], kind: pa.DataType | None) -> pa.Array:
    if values.dtype != object:
        return pa.array(values, kind, mask=~present)
    plain = [value if is_present else None for value, is_present in zip(values, present, strict=True)]
    if len({type(value) for value in plain if value is not None}) > 1 or any(isinstance(v, tuple) for v in plain):
        plain = [None if value is None else str(value) for value in plain]
    return pa.array(plain, kind or (pa.string() if not any(p is not None for p in plain) else None))
