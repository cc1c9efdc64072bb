"""Warnings about a committed dataset, printed at the end of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.documents.dataset_document import DatasetDocument


def print_warnings(dataset: DatasetDocument) -> None:
    """Print the warnings about a dataset on stderr, one sentence each."""
    for sentence in list_warnings(dataset):
        open_stderr().print(sentence)


def list_warnings(dataset: DatasetDocument) -> Iterator[str]:
    """Yield sentences about runs that coco.json lacks, and about a lack of visible particles."""
    runs = format_count(dataset.runs, "run")
    if dataset.views_truncated:
        yield f"coco.json holds the first {dataset.views:,} of {runs}; the gallery and index.parquet have all of them"
    if dataset.runs and dataset.visible == 0:
        yield (
            f"warning: no particle is visible in the dataset's {runs}; "
            "check how many particles the recipe has, how large they are and where they lie"
        )
