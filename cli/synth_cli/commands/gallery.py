"""`synth gallery`: the page on which a dataset can be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth_cli.cluster.cluster_options import cluster_options
from synth_cli.parameters import PATH, TEXT, local_path

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="gallery", short_help="Write a dataset's gallery page anew, or fetch that of a sweep.")
@click.argument("dataset", type=TEXT, metavar="DATASET|SWEEP")
@click.option("--name", type=TEXT, help="Of a folder: which sweep's dataset, when it holds several.")
@click.option("--out", type=PATH, help="Of a sweep: folder to fetch into.  [default: SWEEP-gallery]")
@click.option("--pictures", is_flag=True, help="Of a sweep: fetch the full pictures as well.")
@click.option("--endpoint", type=TEXT, metavar="HOST:PORT", help="Of a sweep: how this machine reaches the store.")
@cluster_options
def command(
    dataset: str,
    name: str | None,
    out: Path | None,
    pictures: bool,
    endpoint: str | None,
    namespace: str | None,
    context: str | None,
) -> None:
    """Write the gallery page of the folder DATASET anew, or fetch that of SWEEP from its store; print the page's path.

    A word that is no folder and looks like none is a sweep's name. The store is opened with AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY from the environment, else with the sweep's Secret, if you may read it.

    \b
    synth gallery ./dataset
    synth gallery spheres-sem-180 -n lab
    """
    from synth_cli.cluster.sweep_names import is_sweep_name

    if is_sweep_name(dataset, namespace, context):
        from synth_cli.cluster.fetch_gallery import fetch_gallery

        fetch_gallery(dataset, namespace, context, endpoint, out, pictures=pictures)
    else:
        rewrite(local_path("DATASET", dataset), name)


def rewrite(folder: Path, name: str | None) -> None:
    """Write the views of a folder's dataset anew."""
    from synth_cli.local.dataset_warnings import print_notes
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.attempts.attempt import open_attempt
    from synth_dataset.attempts.dataset_commit import commit_dataset, open_dataset
    from synth_dataset.store.folder_store import FolderStore
    from synth_dataset.views.dataset_views import GALLERY

    store = FolderStore(folder)
    document = open_dataset(store, name)
    store.check_writable(f"the page that it has is {store.root / document.folder / GALLERY}")
    dataset = commit_dataset(store, open_attempt(store, document.folder), document.failures)
    print_line(str(store.root / document.folder / GALLERY))
    print_notes(dataset)
