"""`dataset.json` at the top of an export: what it holds, from which datasets and with which options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from synth_api.export_options import FormatName
from synth_dataset.documents.attempt_document import AxisDocument, Category
from synth_dataset.documents.document import Document, Hash
from synth_dataset.exports.chunks import SplitCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.export_format import ExportContext


class SourceDocument(Document):
    """Dataset that an export was made from."""

    name: str
    namespace: str
    plan: Hash
    attempt: Hash
    engine_version: int | None
    root: Hash | None
    """Hash of its runs; datasets of earlier releases have none."""
    has_recipe: bool
    """False if the recipe of the export is the canonical tree of the first run."""
    axes: tuple[AxisDocument, ...]
    where: str = Field(default="", exclude_if=lambda where: not where)
    """Filter of its runs, if not all are there."""
    created: AwareDatetime


class ExportDocument(Document):
    """`dataset.json` of an export; the same for the same datasets and options."""

    name: str
    format: FormatName
    options: dict[str, Any]
    identity: Hash
    """Hash of options, datasets and selected runs: two exports with one identity have the same bytes."""
    title: str
    """Empty, as the next five, if nobody has said it."""
    description: str
    version: str
    licence: str
    """SPDX identifier or expression."""
    authors: tuple[str, ...]
    citation: str
    runs: int
    splits: dict[str, SplitCounts]
    categories: tuple[Category, ...]
    sources: tuple[SourceDocument, ...]
    created: AwareDatetime
    """Time of the newest of the datasets."""
    loading: str
    """Line of Python that loads the export in its folder."""


def build_document(
    context: ExportContext, identity: str, counts: Mapping[str, SplitCounts], loading: str
) -> ExportDocument:
    """Return the document of a finished export."""
    sources = describe_sources(context.sources, context.filters)
    return ExportDocument(
        name=context.name,
        format=context.options.format,
        options=context.options.describe(),
        identity=identity,
        **context.card.model_dump(exclude={"split"}),
        runs=len(context.selection),
        splits={split: counts.get(split, SplitCounts()) for split in context.selection.splits},
        categories=context.classes.all_categories,
        sources=sources,
        created=max(source.created for source in sources),
        loading=loading,
    )


def describe_sources(sources: Iterable[DatasetSource], filters: Iterable[str]) -> tuple[SourceDocument, ...]:
    """Return what documents say of the datasets, each with the filter of its runs."""
    return tuple(_describe_source(source, where) for source, where in zip(sources, filters, strict=True))


def _describe_source(source: DatasetSource, where: str) -> SourceDocument:
    attempt = source.attempt
    return SourceDocument(
        name=attempt.name,
        namespace=attempt.namespace,
        plan=attempt.plan,
        attempt=attempt.attempt,
        engine_version=attempt.engine_version,
        root=source.dataset.root,
        has_recipe=source.recipe is not None,
        axes=attempt.axes,
        where=where,
        created=attempt.created,
    )
