"""What a dataset lacks although everything went well, said at the end of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_cli.terminal.consoles import count, stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.documents.dataset_document import DatasetDocument


def print_notes(dataset: DatasetDocument) -> None:
    """Print a sentence on stderr for each thing that a user may not expect of the dataset."""
    for note in notes(dataset):
        stderr().print(note)


def notes(dataset: DatasetDocument) -> Iterator[str]:
    """Sentences about runs that coco.json and the gallery leave out, and about a dataset that shows no particle."""
    runs = count(dataset.runs, "run")
    if dataset.views_truncated:
        yield f"coco.json and the gallery hold the first {dataset.views:,} of {runs}; index.parquet lists all of them"
    if dataset.runs and dataset.visible == 0:
        yield (
            f"warning: no particle is visible in the dataset's {runs}; "
            "check how many particles the recipe has, how large they are and where they lie"
        )
