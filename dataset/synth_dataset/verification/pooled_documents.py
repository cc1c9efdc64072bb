"""The documents that hold the labels of all runs, against the labels of each run: pooled table and `coco.json`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

import pyarrow as pa

from synth_api.sentences import explain
from synth_dataset.documents import layout
from synth_dataset.documents.agglomerates import join_agglomerates
from synth_dataset.documents.attempt_document import find_agglomerates
from synth_dataset.documents.document import DocumentError
from synth_dataset.verification.coco_document import CocoDocument, CocoError
from synth_dataset.verification.fault import DOCUMENT_REMEDY, NOTHING, Fault
from synth_dataset.verification.run_labels import format_ids
from synth_dataset.views.dataset_views import COCO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.verification.label_files import RunLabels

T = TypeVar("T")

Rows = dict[str, list[Any]]
"""Columns `id` and `visible_px` of the rows of a run."""


_UNREADABLE: Final = (CocoError, DocumentError, pa.ArrowException, OSError, LookupError, TypeError, ValueError)
"""Errors of a document that is missing, or that another program wrote."""


class PooledDocument(ABC, Generic[T]):
    """A document with something of each run in run order, which is read beside the runs."""

    what: ClassVar[str]
    """What it has of a run, for messages."""
    has_all_runs: ClassVar[bool] = True
    """False if it has the first runs only, as views do."""

    def __init__(self, source: DatasetSource, path: str, *, is_sample: bool) -> None:
        self.source = source
        self._is_sample = is_sample
        self._runs = 0
        self.address = source.store.format_uri(path)
        self._path = path
        self._items = self._read(path)
        self._next: tuple[int, T] | None = None
        self._is_broken = False

    @abstractmethod
    def _read(self, path: str) -> Iterator[tuple[int, T]]:
        """Yield run number and item, ascending."""

    @abstractmethod
    def compare(self, run: int, item: T | None, manifest: Manifest, labels: RunLabels) -> Iterator[Fault]:
        """Yield the faults of what the document has of a run; None is nothing."""

    def check(self, run: int, manifest: Manifest | None, labels: RunLabels | None) -> Iterator[Fault]:
        """Yield the faults of what the document has of the next run; of one without labels nothing is compared."""
        self._runs += 1
        try:
            yield from self._pass(run)
            item = self._take() if self._next is not None and self._next[0] == run else None
            if self._is_broken or manifest is None or labels is None:
                return
            if item is not None or self._is_expected:
                yield from self.compare(run, item, manifest, labels)
        except _UNREADABLE as error:
            yield self._break(error)

    def finish(self) -> Iterator[Fault]:
        """Yield the faults of what is left after the last run."""
        try:
            yield from self._pass(None)
        except _UNREADABLE as error:
            yield self._break(error)

    def describe(self, expected: str, found: str) -> Fault:
        """Return a fault of the document."""
        return Fault(self.address, expected, found, DOCUMENT_REMEDY)

    @property
    def _is_expected(self) -> bool:
        """False if the document may lack the run, which is beyond the views."""
        dataset = self.source.dataset
        if self.has_all_runs or not dataset.views_truncated:
            return True
        return not self._is_sample and self._runs <= dataset.views

    def _pass(self, run: int | None) -> Iterator[Fault]:
        """Skip to a run; what is skipped belongs to no run of the dataset."""
        if self._next is None and not self._is_broken:
            self._next = next(self._items, None)
        while self._next is not None and (run is None or self._next[0] < run):
            if not self._is_sample:
                yield self.describe("only runs of the index", f"{self.what} of run {self._next[0]} too")
            self._take()

    def _take(self) -> T | None:
        taken, self._next = self._next, next(self._items, None)
        return taken[1] if taken else None

    def _break(self, error: Exception) -> Fault:
        self._is_broken, self._next, self._items = True, None, iter(())
        is_missing = isinstance(error, (FileNotFoundError, DocumentError))
        found = NOTHING if is_missing else f"a file that cannot be read ({explain(error)})"
        return self.describe(f"{self.what} of each run", found)


class PooledRows(PooledDocument[Rows]):
    """`particles.parquet` of the dataset."""

    what: ClassVar[str] = "rows"

    def _read(self, path: str) -> Iterator[tuple[int, Rows]]:  # noqa: ARG002
        number: int | None = None
        rows: Rows = {}
        for batch in self.source.open_table(layout.PARTICLES).iter_batches(columns=["run", "id", "visible_px"]):
            for run, id_, visible in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if run != number:
                    if number is not None:
                        yield number, rows
                    number, rows = run, {"id": [], "visible_px": []}
                rows["id"].append(id_)
                rows["visible_px"].append(visible)
        if number is not None:
            yield number, rows

    def compare(self, run: int, item: Rows | None, manifest: Manifest, labels: RunLabels) -> Iterator[Fault]:  # noqa: ARG002
        """Compare the rows of a run with its own table."""
        rows = item or {"id": [], "visible_px": []}
        own = {name: labels.table[name].to_pylist() for name in rows}
        counts = len(own["id"]), len(rows["id"])
        if counts[0] != counts[1]:
            yield self.describe(f"{counts[0]:,} rows of run {run}, as in its own table", f"{counts[1]:,}")
        elif rows != own:
            names = [name for name in own if own[name] != rows[name]]
            yield self.describe(f"{' and '.join(names)} of run {run} as in its own table", "other values")


class CocoImages(PooledDocument[dict[str, Any]]):
    """The array of images in `coco.json`."""

    what: ClassVar[str] = "an image"
    has_all_runs: ClassVar[bool] = False

    def _read(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        return ((int(image["id"]), image) for image in CocoDocument(self.source.store, path).iterate_images())

    def compare(
        self,
        run: int,
        item: dict[str, Any] | None,
        manifest: Manifest,
        labels: RunLabels,  # noqa: ARG002
    ) -> Iterator[Fault]:
        """Compare the image of a run with its manifest."""
        if item is None:
            yield self.describe(f"an image of run {run}", "none")
            return
        folder, _, file = item["file_name"].rpartition("/")
        own = layout.run_path(manifest.key, manifest.c8)
        if folder != own or file not in {each.path for each in manifest.files}:
            yield self.describe(f"a picture of run {run} in {own}", item["file_name"])
        if (item["width"], item["height"]) != (manifest.width, manifest.height):
            size = f"{item['width']} x {item['height']} px"
            yield self.describe(f"{manifest.width} x {manifest.height} px of run {run}", size)


class CocoNotes(PooledDocument[list[dict[str, Any]]]):
    """The array of annotations in `coco.json`."""

    what: ClassVar[str] = "annotations"
    has_all_runs: ClassVar[bool] = False

    def __init__(self, source: DatasetSource, path: str, *, is_sample: bool) -> None:
        super().__init__(source, path, is_sample=is_sample)
        self._ids = {name: entry.id for entry in source.dataset.categories for name in entry.members}
        self._of_agglomerates = find_agglomerates(source.dataset.categories)

    def _read(self, path: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        return CocoDocument(self.source.store, path).iterate_annotations()

    def compare(
        self,
        run: int,
        item: list[dict[str, Any]] | None,
        manifest: Manifest,  # noqa: ARG002
        labels: RunLabels,
    ) -> Iterator[Fault]:
        """Compare the annotations of a run with its own."""
        yield from self._compare_agglomerates(run, item or [], labels)
        found = {note["particle_id"]: note for note in item or () if not self._is_agglomerate(note)}
        own = {note["id"]: note for note in labels.notes}
        if lacking := sorted(own.keys() - found.keys()):
            yield self.describe(f"annotations of {format_ids(lacking)} of run {run}", "none")
        if extra := sorted(found.keys() - own.keys()):
            yield self.describe(f"only particles of run {run} in its annotations", f"{format_ids(extra)} too")
        for number in sorted(own.keys() & found.keys()):
            for name, expected in self._list_values(own[number]):
                if found[number].get(name) != expected:
                    what = f"{name} of particle {number} of run {run} as in its annotations.json"
                    yield self.describe(what, "another value")

    def _is_agglomerate(self, note: Mapping[str, Any]) -> bool:
        return self._of_agglomerates is not None and note["category_id"] == self._of_agglomerates.id

    def _compare_agglomerates(self, run: int, item: list[dict[str, Any]], labels: RunLabels) -> Iterator[Fault]:
        """Compare the annotations of agglomerates with the masks of their particles."""
        if self._of_agglomerates is None:
            return
        keys = ("agglomerate_id", "particle_ids", "segmentation", "area", "bbox")
        found = [[note[key] for key in keys] for note in item if self._is_agglomerate(note)]
        expected = [
            [one.number, list(one.particles), one.visible, one.area, list(one.box)]
            for one in join_agglomerates(labels.notes)
        ]
        if found != expected:
            what = f"{len(expected):,} agglomerates of run {run} with the masks of its particles"
            yield self.describe(what, "others")

    def _list_values(self, note: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield key and value of an annotation for the entry of a run."""
        yield from {"area": note["area"], "bbox": note["bbox"], "segmentation": note["visible"]}.items()
        if "overlaps" in note:
            yield "overlaps", note["overlaps"]
        if self._ids:
            yield "category_id", self._ids.get(note["category"])


def open_pooled_documents(source: DatasetSource, *, is_sample: bool) -> list[PooledDocument[Any]]:
    """Return the documents that the dataset has; of a sample they are read, but only its runs compared."""
    names, folder = source.dataset.file_names, source.dataset.folder
    found: list[PooledDocument[Any]] = []
    if layout.PARTICLES in names:
        found.append(PooledRows(source, f"{folder}/{layout.PARTICLES}", is_sample=is_sample))
    if COCO in names:
        found += [kind(source, f"{folder}/{COCO}", is_sample=is_sample) for kind in (CocoImages, CocoNotes)]
    return found


def check_categories(source: DatasetSource) -> Iterator[Fault]:
    """Yield the fault of the categories of `coco.json`."""
    if COCO not in source.dataset.file_names or not source.dataset.categories:
        return
    path = f"{source.dataset.folder}/{COCO}"
    try:
        head = CocoDocument(source.store, path).read_head()
        found = {entry["id"]: entry["name"] for entry in head["categories"]}
    except _UNREADABLE:
        return  # said of the images
    expected = {entry.id: entry.name for entry in source.dataset.categories}
    if found != expected:
        yield Fault(source.store.format_uri(path), f"categories {expected}", str(found), DOCUMENT_REMEDY)
