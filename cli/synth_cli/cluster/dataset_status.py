"""The status of datasets as text and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from synth_api.resources.synth_dataset import DatasetPhase
from synth_cli.cluster.object_status import build_waiting_rows, find_message, format_head, format_span
from synth_cli.terminal.standard_streams import escape_invisible
from synth_cli.terminal.tables import build_fact_table, build_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from synth_cli.cluster.cluster_dataset import ClusterDataset

PHASE_STYLES: Final = {
    DatasetPhase.PENDING: "dim",
    DatasetPhase.WAITING: "yellow",
    DatasetPhase.EXPORTING: "cyan",
    DatasetPhase.PUBLISHING: "cyan",
    DatasetPhase.PUBLISHED: "green",
    DatasetPhase.FAILED: "red",
    DatasetPhase.DELETING: "dim",
}


def format_dataset(dataset: ClusterDataset, now: datetime) -> RenderableType:
    """Return phase, message and details of a dataset."""
    head = format_head(dataset, PHASE_STYLES[dataset.status.phase])
    return Group(*head, build_fact_table(_build_rows(dataset, now)))


def format_dataset_line(dataset: ClusterDataset) -> str:
    """Return the status of a dataset as one line, for a log."""
    return f"{dataset.status.phase.value}: {find_message(dataset)}".strip()


def build_datasets_table(datasets: Sequence[ClusterDataset], now: datetime) -> Table:
    """Return a table with one row per dataset."""
    table = build_table("dataset", "phase", "version", "runs", "splits", "exports", "age", right=("runs", "age"))
    for dataset in datasets:
        status = dataset.status
        table.add_row(
            dataset.name,
            Text(status.phase.value, style=PHASE_STYLES[status.phase]),
            status.version,
            "" if status.runs is None else f"{status.runs:,}",
            status.split_runs,
            status.formats,
            format_span(dataset.created, now),
        )
    return table


def _build_rows(dataset: ClusterDataset, now: datetime) -> Iterator[tuple[str, str | Text]]:
    status, spec = dataset.status, dataset.spec
    yield "sources", ", ".join(source.sweep_ref.name for source in spec.sources)
    if status.version != spec.version:
        yield "builds", f"version {spec.version}"
    yield from build_waiting_rows(dataset, now)
    if status.version:
        yield "version", f"{status.version}, the last one that was published"
        yield "runs", f"{status.runs or 0:,}: {status.split_runs}"
        yield "root", status.root
        yield "dataset", escape_invisible(status.dataset)
    for export in status.exports:
        yield export.format, escape_invisible(export.address)
