"""Files that the gallery page of a dataset shows, found in `index.parquet`."""

from __future__ import annotations

import errno
import os
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents import layout
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.stored_file import StoredFile
from synth_dataset.views.gallery_page import PIECES
from synth_dataset.views.run_pictures import list_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.store.base import Store

_ROWS: Final = 4096
"""Rows in memory at a time; a row group of the index has as many."""


def list_gallery_files(store: Store, dataset: DatasetDocument, *, with_pictures: bool) -> list[str]:
    """Return paths of the files that the page loads and of the thumbnails; `with_pictures` of pictures and masks too.

    A page of an earlier release loads no files and shows the first `views` runs. Raises FileNotFoundError where the
    index or the manifest of a run is missing.
    """

    def list_files(folder: str) -> list[str]:
        pictures = _list_pictures(store, layout.parse_key(folder)) if with_pictures else []
        return [f"{folder}/{file}" for file in (layout.THUMBNAIL, *pictures)]

    loaded = [name for name in dataset.file_names if name.startswith(f"{PIECES}/")]
    unused = (f"{PIECES}/thumbnails-", *(() if with_pictures else (f"{PIECES}/masks-",)))
    shown = [f"{dataset.folder}/{name}" for name in loaded if not name.startswith(unused)]
    runs = dataset.runs if loaded else dataset.views
    folders = islice(_read_folders(store, f"{dataset.folder}/{layout.INDEX}"), runs)
    return [*chain.from_iterable(read_ahead(list_files, folders, store.max_requests)), *shown]


def _list_pictures(store: Store, key: str) -> list[str]:
    try:
        return list_pictures(store.read_manifest(key))
    except KeyError:
        path = store.format_uri(layout.manifest_path(key))
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None


def _read_folders(store: Store, index: str) -> Iterator[str]:
    """Yield the folders of the runs in an index, in run order; reads one row group at a time."""
    with pa.PythonFile(StoredFile(store, index), mode="r") as file:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS, columns=["folder"]):
            yield from batch.column("folder").to_pylist()
