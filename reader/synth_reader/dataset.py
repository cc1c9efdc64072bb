"""Datasets: sequences of runs, and how to find one in a store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synth_reader.errors import DatasetError
from synth_reader.location import Location
from synth_reader.run import Run, RunMeta
from synth_reader.shards import PLACE, ShardPlace, add_places

if TYPE_CHECKING:
    import os

    from pyarrow import fs

_REQUIRED: Final = ("run", "key", "seed", "particles", "visible", "folder")
"""Columns that every release has written."""
_UNUSED: Final = ("seconds", "label_digest")


class Dataset(Sequence[Run]):
    """The runs of a dataset in the order of their numbers; memory holds its index alone."""

    def __init__(self, info: dict[str, Any], location: Location, index: pa.Table) -> None:
        self.info: Final = info
        """`dataset.json`: counts, categories, recipe, licence, authors."""
        self._location: Final = location
        self._index: Final = index

    def __repr__(self) -> str:
        return f"Dataset({self.info['name']!r}, {len(self)} runs)"

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, place: int) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Dataset: ...
    def __getitem__(self, place: int | slice) -> Run | Dataset:
        """Return the run at a place, or the dataset of the runs at several. Raises IndexError, TypeError."""
        if isinstance(place, slice):
            return self._take(pa.array(range(*place.indices(len(self))), pa.int64()))
        row = self._find_row(place)
        cells: dict[str, Any] = self._index.slice(row, 1).to_pylist()[0]
        meta = RunMeta(
            run=cells["run"],
            key=cells["key"],
            seed=cells["seed"],
            split=cells.get("split"),
            width=cells.get("width"),
            height=cells.get("height"),
            pixel_size=cells.get("pixel_size"),
            particles=cells["particles"],
            visible=cells["visible"],
            overrides={axis: cells[axis] for axis in self.axes},
        )
        packed = ShardPlace(**cells[PLACE]) if cells.get(PLACE) else None
        return Run(self._location, cells["folder"], meta, packed)

    def _find_row(self, place: int) -> int:
        name = self.info["name"]
        try:
            return range(len(self))[place]
        except IndexError:
            raise IndexError(f"{name} has {len(self)} runs, no {place}; places count from 0") from None
        except TypeError:
            raise TypeError(
                f"{name}[{place!r}]: a place is a number or a slice; `meta.key` has the key of a run"
            ) from None

    @property
    def axes(self) -> tuple[str, ...]:
        """Paths of the values that differ between the runs."""
        names: list[str] = self._index.column_names
        return tuple(names[names.index("key") + 1 : names.index("seed")])

    @property
    def splits(self) -> dict[str, int]:
        """Number of runs of each split; empty for a dataset without splits."""
        if "split" not in self._index.column_names:
            return {}
        counts = pc.value_counts(self._index["split"].drop_null()).to_pylist()
        return {one["values"]: one["counts"] for one in sorted(counts, key=lambda one: str(one["values"]))}

    def select_split(self, split: str) -> Dataset:
        """Return the runs of a split. Raises DatasetError for one that the dataset does not have."""
        if split not in self.splits:
            known = f"its splits: {', '.join(self.splits)}" if self.splits else "it has no splits"
            raise DatasetError(f"{self._location.address}: {self.info['name']} has no split '{split}'; {known}")
        return self._take(pc.indices_nonzero(pc.equal(self._index["split"], split)))

    def _take(self, places: pa.Array) -> Dataset:
        return Dataset(self.info, self._location, self._index.take(places).combine_chunks())


def open_dataset(
    address: str | os.PathLike[str],
    name: str | None = None,
    *,
    split: str | None = None,
    filesystem: fs.FileSystem | None = None,
) -> Dataset:
    """Return the dataset in a store: a folder that `synth render` wrote, or `s3://BUCKET/PREFIX`.

    `name` chooses one of several, with its namespace (`team-a/spheres`) if several have the name. `split` keeps the
    runs of one split. With `filesystem` of pyarrow, `address` is a path in it. Keys of a bucket come from the
    environment or `~/.aws/credentials`, its endpoint from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.

    Raises DatasetError where there is no such dataset, or one that this release cannot read.
    """
    location = Location(address, filesystem)
    info = _find_info(location, name)
    dataset = Dataset(info, location, add_places(location, _read_index(location, info)))
    return dataset if split is None else dataset.select_split(split)


def _find_info(location: Location, name: str | None) -> dict[str, Any]:
    """Return `dataset.json` of the dataset of this name, of the only one without."""
    namespaces = location.list_folders("sweeps")
    sweeps = [
        f"{namespace}/{sweep}" for namespace in namespaces for sweep in location.list_folders(f"sweeps/{namespace}")
    ]
    found = {}
    for sweep in sweeps:
        if name in (None, sweep, sweep.partition("/")[2]):
            with suppress(FileNotFoundError):  # a sweep without a committed run
                found[sweep] = location.read_json(f"sweeps/{sweep}/dataset.json")
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise DatasetError(f"{location.address}: holds {len(found)} datasets; choose by `name`: {', '.join(found)}")
    if sweeps and name is not None:
        raise DatasetError(f"{location.address}: holds no dataset '{name}'; its sweeps: {', '.join(sweeps)}")
    if loading := _find_loading(location):
        raise DatasetError(f"{location.address}: is an export; load it in its folder with: {loading}")
    raise DatasetError(
        f"{location.address}: holds no dataset; give the folder or bucket that synth render or a sweep wrote"
    )


def _find_loading(location: Location) -> str:
    """Return the line that loads the export here, or the first one of a version; empty if neither is here."""
    with suppress(FileNotFoundError):
        document = location.read_json("dataset.json")
        exports = (document, *document.get("exports", ()))
        return next((str(export["loading"]) for export in exports if "loading" in export), "")
    return ""


def _read_index(location: Location, info: dict[str, Any]) -> pa.Table:
    """Return the columns of `index.parquet` that runs need. Raises DatasetError for one of a later format."""
    remedy = "a later release has written it; install a later synth-reader"
    if not isinstance(info.get("folder"), str) or "name" not in info:
        raise DatasetError(f"{location.address}: its dataset.json names no folder; {remedy}")
    path = f"{info['folder']}/index.parquet"
    try:
        content = location.read(path)
    except FileNotFoundError as error:
        raise DatasetError(f"{location.format(path)}: is missing; synth gallery writes that of a folder") from error
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{location.format(path)}: is not Parquet: {error}") from error
    names = file.schema_arrow.names
    if missing := [name for name in _REQUIRED if name not in names]:
        raise DatasetError(f"{location.format(path)}: has no column {missing[0]}; {remedy}")
    return file.read([name for name in names if name not in _UNUSED]).combine_chunks()
