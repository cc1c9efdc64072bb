"""Format `huggingface`: Parquet files with the features of the package `datasets`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents.layout import INSTANCES
from synth_dataset.documents.png import encode_png
from synth_dataset.exports.picture_files import PictureFiles
from synth_dataset.exports.pooled_particles import list_particle_columns
from synth_dataset.exports.shards import Shard, ShardedFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.export_format import FinishedChunks
    from synth_dataset.exports.sample import Sample, SampleObject

_PICTURE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MAX_GROUP_BYTES: Final = 16 << 20
"""Bytes of a row group, which memory holds, unless one row has more."""
_ROW_BYTES: Final = 4096
"""Memory of a row beside its pictures and objects."""
_OBJECT_BYTES: Final = 512


@dataclass(frozen=True)
class _ObjectField:
    """List of each picture with one entry for each object."""

    kind: pa.DataType
    """Of an entry in the file."""
    feature: dict[str, Any]
    """Of an entry in `datasets`."""
    read: Callable[[SampleObject], Any]


_SCALARS: Final[dict[str, pa.DataType]] = {
    "run": pa.int64(),
    "key": pa.string(),
    "seed": pa.int64(),
    "pixel_size": pa.float64(),
}


def _describe_value(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "_type": "Value"}


def _describe_list(feature: dict[str, Any]) -> dict[str, Any]:
    """Return a feature of lists, by the name that releases before and after 4.0 of `datasets` know."""
    return {"feature": feature, "_type": "Sequence"}


_ID: Final = _describe_value("int32")
_OVERLAPS: Final = _ObjectField(pa.list_(pa.int32()), _describe_list(_ID), lambda one: list(one.overlaps or ()))
_AGGLOMERATE: Final = _ObjectField(pa.int32(), _ID, lambda one: one.agglomerate)


def _list_object_fields(classes: Sequence[str], columns: Container[str]) -> dict[str, _ObjectField]:
    """Return the lists of objects by name; `columns` are those of the particle tables of all runs."""
    fields = {
        "id": _ObjectField(pa.int32(), _ID, lambda one: one.id),
        "bbox": _ObjectField(pa.list_(pa.int32(), 4), {**_describe_list(_ID), "length": 4}, lambda one: list(one.box)),
        "category": _ObjectField(
            pa.int64(), {"names": [*classes], "_type": "ClassLabel"}, lambda one: one.category.id - 1
        ),
        "area": _ObjectField(pa.int64(), _describe_value("int64"), lambda one: one.area),
        "visible_fraction": _ObjectField(pa.float64(), _describe_value("float64"), lambda one: one.visible_fraction),
        "ignored": _ObjectField(pa.bool_(), _describe_value("bool"), lambda one: one.ignored),
    }
    if "nearest_px" in columns:
        fields["overlaps"] = _OVERLAPS
    if "agglomerate" in columns:
        fields["agglomerate"] = _AGGLOMERATE
    return fields


class HuggingfaceFormat(ShardedFormat):
    """Shards `data/<split>-<number>-of-<count>.parquet`, which the head of the card names."""

    name: ClassVar[str] = "huggingface"

    @cached_property
    def _object_fields(self) -> dict[str, _ObjectField]:
        classes = [category.name for category in self.context.classes.categories]
        return _list_object_fields(classes, list_particle_columns(self.context.sources).names)

    @cached_property
    def _schema(self) -> pa.Schema:
        return _build_schema(self._object_fields, self.context.options.pictures)

    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write a shard, some samples at a time."""
        with chunk.target.store.open_scratch("shard") as scratch:
            file = scratch / "shard.parquet"
            self._write_shard(file, _count_samples(samples, chunk))
            chunk.write_from(_format_path(self.shards[chunk.number]), file)

    def write_documents(self, finished: FinishedChunks) -> Iterator[File]:
        """Write a file without rows if there are no runs at all, so that the columns are known."""
        if not self.shards:
            with finished.target.store.open_scratch("shard") as scratch:
                file = scratch / "shard.parquet"
                self._write_shard(file, iter(()))
                yield finished.target.write_from(_format_path(Shard(self.context.main_split, 0, 1)), file)

    def format_loading(self, location: str) -> str:
        """Return the line for the package `datasets`."""
        return f"from datasets import load_dataset; dataset = load_dataset({location!r})"

    def list_pictures(self) -> tuple[PictureFiles, ...]:
        """Return the columns with pictures."""
        columns = ("image", "instances", *self.context.options.pictures)
        kind = "application/x-parquet"
        return (PictureFiles("pictures", "data/*.parquet", kind, r"^data/([a-z0-9_]+)-", columns),)

    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern."""
        return {"data/<split>-<number>-of-<count>.parquet": "picture, 16-bit particle ids and objects of each run"}

    def build_head(self, identity: str) -> dict[str, Any]:
        """Return the files of each split that has runs; `datasets` refuses one without rows.

        The configuration has the name of the export: the cache of `datasets` tells two folders apart by the last part
        of their path and by this name alone, and returns the rows of the first for both.
        """
        used = {shard.split for shard in self.shards} or {self.context.main_split}
        splits = [split for split in self.context.selection.splits if split in used]
        files = [{"split": split, "path": f"data/{split}-*"} for split in splits]
        return {"configs": [{"config_name": identity[:8], "default": True, "data_files": files}]}

    def _write_shard(self, path: Path, samples: Iterator[Sample]) -> None:
        with path.open("wb") as stream, pq.ParquetWriter(stream, self._schema, compression="zstd") as writer:
            for rows in _group_rows(_build_row(sample, self._object_fields) for sample in samples):
                writer.write_table(pa.Table.from_pylist(rows, self._schema))


def _group_rows(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows in groups of about MAX_GROUP_BYTES."""
    group, size = [], 0
    for row in rows:
        group.append(row)
        pictures = (value["bytes"] for value in row.values() if isinstance(value, dict) and "bytes" in value)
        size += _ROW_BYTES + sum(map(len, pictures)) + _OBJECT_BYTES * len(row["objects"]["id"])
        if size >= MAX_GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _count_samples(samples: Iterable[Sample], chunk: ChunkWriter) -> Iterator[Sample]:
    for sample in samples:
        chunk.count(sample)
        yield sample


def _build_row(sample: Sample, fields: Mapping[str, _ObjectField]) -> dict[str, Any]:
    ids = sample.read(INSTANCES) if sample.is_whole else encode_png(sample.instances)
    pictures = {"image": sample.read(sample.picture.path), "instances": ids}
    pictures |= {mode: sample.read(file.path) for mode, file in sample.extras.items()}
    return {
        "run": sample.run.number,
        "key": sample.run.key,
        "seed": sample.manifest.seed,
        "pixel_size": sample.manifest.pixel_size,
        **{name: {"bytes": content, "path": f"{sample.name}.png"} for name, content in pictures.items()},
        "objects": {name: [*map(field.read, sample.objects)] for name, field in fields.items()},
    }


def _build_schema(objects: Mapping[str, _ObjectField], modes: Iterable[str]) -> pa.Schema:
    """Return the schema with the features as metadata, from which `datasets` takes them."""
    pictures = ("image", "instances", *modes)
    lists = pa.struct([(name, pa.list_(field.kind)) for name, field in objects.items()])
    fields = [*_SCALARS.items(), *((name, _PICTURE) for name in pictures), ("objects", lists)]
    features = {
        **{name: _describe_value(str(kind).replace("double", "float64")) for name, kind in _SCALARS.items()},
        **{name: {"_type": "Image"} for name in pictures},
        "objects": {name: _describe_list(field.feature) for name, field in objects.items()},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(fields, metadata=metadata)


def _format_path(shard: Shard) -> str:
    return f"data/{shard.split}-{shard.number:05d}-of-{shard.count:05d}.parquet"
