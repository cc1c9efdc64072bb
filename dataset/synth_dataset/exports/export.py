"""Export of datasets: chunk after chunk, then the documents, then `dataset.json` as the last file."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.remedies import REPAIR_RUN
from synth_dataset.exports.card import CITATION, README, RECIPES, build_card, build_citation
from synth_dataset.exports.chunks import ChunkWriter, read_record
from synth_dataset.exports.classes import build_class_map
from synth_dataset.exports.coco_format import CocoFormat
from synth_dataset.exports.croissant import CROISSANT, build_croissant
from synth_dataset.exports.export_document import build_document
from synth_dataset.exports.export_format import ExportContext, FinishedChunks
from synth_dataset.exports.huggingface_format import HuggingfaceFormat
from synth_dataset.exports.pairs_format import PairsFormat
from synth_dataset.exports.pooled_index import write_runs
from synth_dataset.exports.pooled_particles import DOCUMENT, build_schema, pool_particles, write_particles
from synth_dataset.exports.sample import SampleReader
from synth_dataset.exports.selection import select_runs
from synth_dataset.exports.sources import check_distinct, complete_splits, join_cards, join_names
from synth_dataset.exports.target import WORK
from synth_dataset.exports.webdataset_format import WebdatasetFormat
from synth_dataset.exports.yolo_format import YoloFormat
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.export_document import ExportDocument
    from synth_dataset.exports.export_format import ExportFormat
    from synth_dataset.exports.options import ExportOptions
    from synth_dataset.exports.sample import Sample
    from synth_dataset.exports.target import Target

FORMATS: Final[dict[str, type[ExportFormat]]] = {
    kind.name: kind for kind in (CocoFormat, YoloFormat, PairsFormat, WebdatasetFormat, HuggingfaceFormat)
}
CHECKSUMS: Final = "checksums.sha256"
_CARDS: Final = 4
"""Number of previews on the card."""
_STATE: Final = f"{WORK}/export.json"


@dataclass(frozen=True)
class Export:
    """An export that is ready to be written: its runs are selected, its place is checked."""

    format: ExportFormat
    identity: str

    @property
    def runs(self) -> int:
        """Number of selected runs."""
        return len(self.format.context.selection)

    @property
    def location(self) -> str:
        """Address of the export."""
        return self.format.context.target.store.location

    @property
    def loading(self) -> str:
        """Line of Python that loads the export at its address."""
        return self.format.format_loading(self.location)

    @cached_property
    def chunks(self) -> list[NDArray[np.int64]]:
        """Positions of the runs of each chunk."""
        return self.format.cut()

    def write(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Write the export, or what is missing of it; `advance` gets the number of runs that are done.

        Raises as `write_chunk`; the same call continues then.
        """
        target = self.format.context.target
        target.store.write(_STATE, json.dumps({"identity": self.identity}).encode())
        for number in range(len(self.chunks)):
            advance(self.write_chunk(number))
        self.write_documents()
        target.remove_working_files()

    def write_chunk(self, number: int) -> int:
        """Write the files of a chunk, unless it is finished; return the number of its runs.

        Two processes may write the same chunk: their files have the same bytes, and the record comes last. Raises
        StoreError, StoreFullError, and DocumentError for a damaged or missing file of a run.
        """
        target = self.format.context.target
        if read_record(target, number) is None:
            with explain_missing_files():
                chunk = ChunkWriter(target, number)
                samples = _read_samples(self.format.context, self.chunks[number])
                with pool_particles(samples, chunk) as pooled:
                    self.format.write_chunk(pooled, chunk)
                chunk.close()
        return len(self.chunks[number])

    def write_documents(self) -> tuple[ExportDocument, list[File]]:
        """Write all but the files of chunks; return the document and the written files.

        `dataset.json` and the checksums come last. Raises FileNotFoundError if a chunk is not finished.
        """
        with explain_missing_files():
            return _write_documents(self, FinishedChunks(self.format.context.target, len(self.chunks)), self._schema)

    def iterate_files(self) -> Iterator[File]:
        """Yield the files of all chunks. Raises FileNotFoundError if a chunk is not finished."""
        return FinishedChunks(self.format.context.target, len(self.chunks)).iterate_files()

    @cached_property
    def _schema(self) -> pa.Schema:
        """Columns of the pooled table of particles."""
        return build_schema(self.format.context.sources)


@contextmanager
def explain_missing_files() -> Iterator[None]:
    """Raise DocumentError with a remedy for a missing file of a run."""
    try:
        yield
    except FileNotFoundError as error:
        raise DocumentError(f"{error.filename}: this file of a run is missing; {REPAIR_RUN}") from error


def prepare_export(sources: Sequence[DatasetSource], options: ExportOptions, target: Target) -> Export:
    """Select the runs and check the place. Raises InputError, DocumentError, StoreError; nothing is written then."""
    check_distinct(sources)
    options = replace(options, splits=complete_splits(options.splits, sources))
    filters = (options.where or "",) * len(sources)
    export = build_export(
        ExportContext(
            name=join_names(sources),
            card=join_cards(sources),
            sources=tuple(sources),
            filters=filters,
            options=options,
            classes=build_class_map(sources, options),
            selection=select_runs(sources, options.splits, filters, options.limit),
            target=target,
        )
    )
    _check_place(target, export.identity)
    return export


def build_export(context: ExportContext) -> Export:
    """Return the export of selected runs to a place that is not checked. Raises InputError for options that clash."""
    identity = compute_identity(context)
    context = replace(context, target=context.target.name_work(identity))
    return Export(FORMATS[context.options.format](context), identity)


def compute_identity(context: ExportContext) -> str:
    """Return the hash of options, datasets, classes and selected runs."""
    described = {
        "options": context.options.describe(),
        "attempts": [source.attempt.attempt for source in context.sources],
        "categories": [category.model_dump(mode="json") for category in context.classes.all_categories],
        "card": context.card.list_values(),
        "runs": sha256(context.selection.table.tobytes()).hexdigest(),
    }
    return sha256(canonical_json(described)).hexdigest()


def _check_place(target: Target, identity: str) -> None:
    """Raise InputError for a place with other files, or with another export."""
    store = target.store
    found = [_read_identity(target, path) for path in (_STATE, layout.DATASET)]
    if identity in found:
        return
    if any(found):
        problem = "holds another export, of other runs or with other options; choose another --out, or remove it"
        raise InputError(store.location, problem)
    is_used = store.exists(layout.DATASET) or next(iter(store.list_children(layout.SWEEPS)), None) is not None
    if is_used or (isinstance(store, FolderStore) and store.root.is_dir() and any(store.root.iterdir())):
        raise InputError(store.location, "is not empty and holds no export; choose another --out")


def _read_identity(target: Target, path: str) -> str | None:
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        document: Any = json.loads(target.store.read(path))
        return str(document.get("identity")) if isinstance(document, dict) else None
    return None


def _read_samples(context: ExportContext, positions: NDArray[np.int64], *, bare: bool = False) -> Iterator[Sample]:
    reader = SampleReader(context.sources, context.classes, context.options)
    threads = max(source.store.max_requests for source in context.sources)
    return read_ahead(reader.read_bare if bare else reader.read, context.selection.iterate(positions), threads)


def _read_first_samples(context: ExportContext) -> Iterator[Sample]:
    """Yield the first selected run of each dataset that has one."""
    _, first = np.unique(context.selection.table["source"], return_index=True)
    return _read_samples(context, first, bare=True)


def _write_documents(export: Export, finished: FinishedChunks, schema: pa.Schema) -> tuple[ExportDocument, list[File]]:
    """Write everything but the files of the chunks; `dataset.json` and the checksums come last."""
    format_, target = export.format, finished.target
    document = build_document(format_.context, export.identity, finished.counts, format_.format_loading("."))
    files = [
        *format_.write_documents(finished),
        *_write_tables(format_.context, finished, schema),
        *_write_recipes(format_.context),
    ]
    previews = list(_write_previews(format_.context))
    meanings = {**format_.describe_files(), **_COMMON_FILES}
    card = build_card(document, meanings, [file.path for file in previews], format_.build_head(export.identity))
    files += [
        *previews,
        target.write(README, card),
        target.write(CITATION, build_citation(document)),
        target.write(CROISSANT, build_croissant(document, files, schema, format_.list_pictures())),
        target.write(layout.DATASET, document.to_json()),
    ]
    files.append(target.write(CHECKSUMS, _iterate_checksums(finished, files)))
    return document, files


_COMMON_FILES: Final = {
    "particles.parquet": "every particle of every run, with run, key and split",
    "index.parquet": "every run with its axes, split, counts, size and label digest",
    "recipes/": "what the runs were rendered from",
    "dataset.json": "datasets, options, counts and classes of this export",
    "croissant.json": "metadata in Croissant 1.0",
    "checksums.sha256": "digests of all other files, for sha256sum --check",
}


def _write_tables(context: ExportContext, finished: FinishedChunks, schema: pa.Schema) -> Iterator[File]:
    with finished.target.store.open_scratch("tables") as scratch:
        write_particles(scratch / layout.PARTICLES, schema, finished.join(DOCUMENT))
        write_runs(scratch / layout.INDEX, context)
        for name in (layout.PARTICLES, layout.INDEX):
            yield finished.target.write_from(name, scratch / name)


def _write_recipes(context: ExportContext) -> Iterator[File]:
    """Write the recipe of each dataset, or the canonical tree of its first run, as YAML in the form of JSON."""
    for sample in _read_first_samples(context):
        path = f"{RECIPES}/{sample.source.attempt.plan[:8]}.yaml"
        tree = sample.source.recipe or sample.source.store.read_recipe(sample.manifest)
        recipe = {"defaults": ["BaseRecipe", "_self_"], **tree}
        yield context.target.write(path, json.dumps(recipe, indent=1).encode() + b"\n")


def _write_previews(context: ExportContext) -> Iterator[File]:
    """Copy the previews of the first runs, if they have any."""
    first = np.arange(min(_CARDS, len(context.selection)))
    for sample in _read_samples(context, first, bare=True):
        if file := next((file for file in sample.manifest.files if file.path == "thumb.webp"), None):
            path = f"card/{sample.name}.webp"
            yield context.target.place(path, sample.source.store, sample.find_path(file.path), file)


def _iterate_checksums(finished: FinishedChunks, files: Sequence[File]) -> Iterator[bytes]:
    for file in files:
        yield f"{file.sha256}  {file.path}\n".encode()
    for file in finished.iterate_files():
        yield f"{file.sha256}  {file.path}\n".encode()
