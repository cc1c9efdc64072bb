"""The labels in a file of an export: how many samples and objects it has, and whether they fit each other."""

from __future__ import annotations

import json
import re
import tarfile
from io import BufferedReader
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.sentences import explain
from synth_dataset.store.stored_file import StoredFile
from synth_dataset.verification.coco_document import CocoDocument, CocoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dataset.store.base import Store

_BUFFER_BYTES: Final = 1 << 20
_ROWS: Final = 256


class FileCounts(NamedTuple):
    """Samples and objects of a file, without objects to ignore."""

    split: str
    runs: int
    objects: int
    problems: tuple[tuple[str, str], ...] = ()
    """What is expected and what is found, where entries do not fit each other."""


class LabelFileError(Exception):
    """A file with labels cannot be read."""


def count_labels(store: Store, format_: str, path: str) -> FileCounts | None:
    """Return what a file with labels has; None for another file of the export. Raises LabelFileError, StoreError."""
    pattern, count = _FORMATS[format_]
    match = pattern.fullmatch(path)
    if match is None:
        return None
    try:
        return count(store, path, match["split"])
    except (CocoError, pa.ArrowException, tarfile.TarError, OSError, ValueError, LookupError, TypeError) as error:
        raise LabelFileError(explain(error)) from error


def _count_coco(store: Store, path: str, split: str) -> FileCounts:
    document = CocoDocument(store, path)
    categories = {entry["id"] for entry in document.read_head()["categories"]}
    images = {int(image["id"]) for image in document.iterate_images()}
    objects, problems = 0, []
    for image, notes in document.iterate_annotations():
        if image not in images:
            problems.append(("annotations of images in the document", f"some of image {image}"))
        objects += sum(not note["iscrowd"] for note in notes)
        unknown = {note["category_id"] for note in notes} - categories
        problems += [("category_id of a category in the document", str(number)) for number in sorted(unknown)]
    return FileCounts(split, len(images), objects, tuple(problems))


def _count_lines(store: Store, path: str, split: str) -> FileCounts:
    return FileCounts(split, 1, store.read(path).count(b"\n"))


def _count_ids(store: Store, path: str, split: str) -> FileCounts:
    ids = cv2.imdecode(np.frombuffer(store.read(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if ids is None:
        raise ValueError("is not a picture")
    return FileCounts(split, 1, int(np.count_nonzero(np.unique(ids))))


def _count_rows(store: Store, path: str, split: str) -> FileCounts:
    runs, objects = 0, 0
    with pa.PythonFile(StoredFile(store, path), mode="r") as stream:
        for batch in pq.ParquetFile(stream).iter_batches(_ROWS, columns=["run", "objects.ignored"]):
            runs += len(batch)
            for row in batch.column("objects").to_pylist():
                objects += sum(not ignored for ignored in row["ignored"])
    return FileCounts(split, runs, objects)


def _count_members(store: Store, path: str, split: str) -> FileCounts:
    runs, objects = 0, 0
    stream = BufferedReader(StoredFile(store, path), _BUFFER_BYTES)
    with stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            if member.name.endswith(".json") and (file := archive.extractfile(member)):
                runs += 1
                objects += sum(not one["ignored"] for one in json.loads(file.read())["objects"])
    return FileCounts(split, runs, objects)


_FORMATS: Final[dict[str, tuple[re.Pattern[str], Callable[[Store, str, str], FileCounts]]]] = {
    "coco": (re.compile(r"annotations/instances_(?P<split>[^/]+)\.json"), _count_coco),
    "yolo": (re.compile(r"labels/(?P<split>[^/]+)/[^/]+\.txt"), _count_lines),
    "pairs": (re.compile(r"(?P<split>[^/]+)/(?:[^/]+_masks\.png|masks/[^/]+\.tif)"), _count_ids),
    "huggingface": (re.compile(r"data/(?P<split>[^/]+)-\d{5}-of-\d{5}\.parquet"), _count_rows),
    "webdataset": (re.compile(r"(?P<split>[^/]+)-\d{6}\.tar"), _count_members),
}
"""Format -> pattern of the files with labels, and the function that counts in one."""
