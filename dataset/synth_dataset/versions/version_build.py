"""Build of a version: chunk after chunk of all its exports, in any process, then the documents, `dataset.json` last."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from synth_api.canonical_json import canonical_json
from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.export_options import DEFAULT_SHARD_BYTES, parse_size
from synth_api.jobs.dataset_input import version_folder
from synth_dataset.documents import layout
from synth_dataset.exports.classes import build_class_map
from synth_dataset.exports.export import Export, build_export, compute_identity
from synth_dataset.exports.export_format import ExportContext
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.selection import Selection, compute_root, select_runs
from synth_dataset.exports.sources import check_distinct, complete_splits, join_cards
from synth_dataset.exports.target import Target
from synth_dataset.versions.published_version import check_version, find_version
from synth_dataset.versions.version_document import PublishedExport, VersionDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.resources.synth_dataset import DatasetDefinition, ExportSpec
    from synth_api.splits import Splits
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.export_document import ExportDocument
    from synth_dataset.store.base import Store

_FIELDS: Final = {
    "DATASET": "spec.sources",
    "--split": "spec.split",
    "--split-by": "spec.splitBy",
    "--group": "spec.group",
    "--classes": "spec.exports[].classes",
    "--where": "spec.sources[].where",
    "--limit": "spec.exports[].limit",
}
"""Option or argument of `synth export` -> field of a SynthDataset."""


@dataclass(frozen=True)
class VersionBuild:
    """A version that is ready to be built: its runs are selected. All processes of a build write the same bytes."""

    store: Store
    namespace: str
    name: str
    definition: DatasetDefinition
    sources: tuple[DatasetSource, ...]
    splits: Splits
    selection: Selection
    exports: tuple[Export, ...]

    @property
    def runs(self) -> int:
        """Number of runs to export, each once for every export."""
        return sum(export.runs for export in self.exports)

    @cached_property
    def chunks(self) -> list[tuple[Export, int]]:
        """Chunks of all exports: the export and the number of the chunk there."""
        return [(export, number) for export in self.exports for number in range(len(export.chunks))]

    def write_chunk(self, number: int) -> int:
        """Write a chunk unless it is finished; return the number of its runs. Raises as `Export.write_chunk`."""
        export, place = self.chunks[number]
        return export.write_chunk(place)

    def publish(self) -> VersionDocument:
        """Write chunks that are missing and the documents of the exports, then the version's own; return that.

        Raises as `Export.write_chunk`; the same call continues then. Raises PublishedError if another process has
        published the version meanwhile, from something else.
        """
        for number in range(len(self.chunks)):
            self.write_chunk(number)
        document = self._build_document([(export, *export.write_documents()) for export in self.exports])
        if self.store.write_new(f"{document.folder}/{layout.DATASET}", document.to_json()):
            return document
        published = find_version(self.store, self.namespace, self.name, self.definition.version)
        assert published is not None
        check_version(published, self.definition, self.sources)
        return published

    @property
    def _folder(self) -> str:
        return version_folder(self.namespace, self.name, self.definition.version)

    def _build_document(self, written: Sequence[tuple[Export, ExportDocument, Sequence[File]]]) -> VersionDocument:
        longest = max((document for _, document, _ in written), key=lambda document: document.runs)
        return VersionDocument(
            name=self.name,
            namespace=self.namespace,
            version=self.definition.version,
            folder=self._folder,
            title=longest.title,
            description=longest.description,
            licence=longest.licence,
            authors=longest.authors,
            citation=longest.citation,
            definition=self.definition.describe(),
            sources=longest.sources,
            split={share.split: str(share.share) for share in self.splits.shares},
            runs=len(self.selection),
            splits=longest.splits,
            root=compute_root(self.sources, self.selection),
            exports=tuple(_describe_export(*one) for one in written),
            created=longest.created,
        )


def prepare_version(
    store: Store, namespace: str, name: str, definition: DatasetDefinition, sources: Sequence[DatasetSource]
) -> VersionBuild:
    """Select the runs of the sources, which are those of the definition in its order. Nothing is written.

    Raises InputError that names a field of the spec, DocumentError, StoreError.
    """
    with _name_fields():
        check_distinct(sources)
        splits = complete_splits(definition.splits, sources)
        filters = tuple(source.where for source in definition.sources)
        names = [f"spec.sources[{number}].where" for number in range(len(sources))]
        selection = select_runs(sources, splits, filters, names=names).take(_find_limit(definition.exports))
        exports = []
        for spec in definition.exports:
            options = build_options(spec, splits)
            context = ExportContext(
                name=name,
                card=_build_card(definition, sources),
                sources=tuple(sources),
                filters=filters,
                options=options,
                classes=build_class_map(sources, options),
                selection=selection.take(spec.limit),
                target=Target(store),
            )
            folder = f"{version_folder(namespace, name, definition.version)}/{name_export(context, definition)}"
            exports.append(build_export(replace(context, target=Target(store.open_folder(folder)))))
    return VersionBuild(store, namespace, name, definition, tuple(sources), splits, selection, tuple(exports))


def name_export(context: ExportContext, definition: DatasetDefinition) -> str:
    """Return the folder of an export in that of its version, named by all that its bytes depend on.

    So whoever still writes an export by another definition of the version, as a pod of a lost node may do long after
    its Job is gone, changes no file of the one that is published.
    """
    digest = sha256(canonical_json([compute_identity(context), definition.digest])).hexdigest()
    return f"{context.options.format}-{digest[:8]}"


def _find_limit(exports: Sequence[ExportSpec]) -> int | None:
    """Return how many runs the longest of the exports takes; None for all."""
    limits = [spec.limit for spec in exports if spec.limit is not None]
    return max(limits) if len(limits) == len(exports) else None


def build_options(spec: ExportSpec, splits: Splits) -> ExportOptions:
    """Return the options of an export of a SynthDataset."""
    mapping = {name: kind or None for name, kind in (spec.class_map or {}).items()}
    return ExportOptions(
        format=spec.format,
        splits=splits,
        limit=spec.limit,
        classes=mapping or spec.classes or "category",
        masks=spec.masks or "polygon",
        amodal=spec.amodal,
        boxes=spec.boxes,
        min_visible=spec.min_visible,
        min_area=spec.min_area,
        below=spec.below or "drop",
        pictures=tuple(dict.fromkeys(spec.pictures)),
        layout=spec.layout or "cellpose",
        shard_bytes=parse_size(spec.shard_size) if spec.shard_size else DEFAULT_SHARD_BYTES,
    )


def _build_card(definition: DatasetDefinition, sources: Sequence[DatasetSource]) -> DatasetCard:
    """Return what people say of the version: its own card first, then what the sweeps have in common."""
    said = definition.card.list_values() if definition.card else {}
    return DatasetCard.model_validate({**join_cards(sources).list_values(), **said, "version": definition.version})


def _describe_export(export: Export, document: ExportDocument, files: Sequence[File]) -> PublishedExport:
    folder = export.location.rpartition("/")[2]
    return PublishedExport(
        format=export.format.name,
        folder=folder,
        identity=export.identity,
        checksums=files[-1].sha256,
        runs=document.runs,
        splits=document.splits,
        loading=export.format.format_loading(folder),
    )


def name_fields(sentence: str) -> str:
    """Return a sentence with fields of the spec in place of options of `synth export`."""
    return re.sub(r"--[a-z-]+", lambda match: _FIELDS.get(match[0], match[0]), sentence)


@contextmanager
def _name_fields() -> Iterator[None]:
    """Raise InputError with fields of the spec where the functions of exports name options."""
    try:
        yield
    except InputError as error:
        raise InputError(_FIELDS.get(error.path, error.path), name_fields(error.problem)) from None
