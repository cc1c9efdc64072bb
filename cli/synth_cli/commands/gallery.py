"""`synth gallery`: the page on which a dataset can be looked at."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="gallery", short_help="Write a dataset's gallery page anew.")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--name", help="Which sweep's dataset, when the folder holds several.")
def command(dataset: Path, name: str | None) -> None:
    """Write the gallery page and the other views of the dataset in the folder DATASET anew; print the page's path."""
    from synth_dataset.attempt import open_attempt
    from synth_dataset.finalize import commit_dataset, open_dataset
    from synth_dataset.folder_store import FolderStore
    from synth_dataset.views import GALLERY

    store = FolderStore(dataset)
    document = open_dataset(store, name)
    commit_dataset(store, open_attempt(store, document.folder), document.failures)
    click.echo(store.root / document.folder / GALLERY)
