"""`synth gallery`: the HTML page that shows a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_cli.cluster.cluster_options import cluster_options
from synth_cli.parameters import PATH, TEXT, parse_path

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="gallery")
@click.argument("dataset", type=TEXT, metavar="DATASET|SWEEP")
@click.option("--name", type=TEXT, help="Name of the dataset, if the folder holds several.")
@click.option("--out", type=PATH, help="Download folder for a sweep.  [default: SWEEP-gallery]")
@click.option("--pictures", is_flag=True, help="Download the full pictures of a sweep too.")
@click.option(
    "--endpoint", type=TEXT, metavar="HOST:PORT", help="Address of a sweep's store as seen from this machine."
)
@click.option("--watch", is_flag=True, help="Serve a page on this machine that grows while runs are rendered.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of --watch.  [default: any free one]")
@cluster_options
def command(
    dataset: str,
    name: str | None,
    out: Path | None,
    pictures: bool,
    watch: bool,
    port: int,
    endpoint: str | None,
    namespace: str | None,
    context: str | None,
) -> int:
    """Write the gallery page of the folder DATASET again, or download that of SWEEP; print the path of the page.

    With --watch nothing is written or copied: print the address of a page that shows the runs as they appear in the
    store, until Ctrl-C.

    A word that is neither a folder nor a path is the name of a sweep. Credentials for the store of a sweep are
    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from the environment, else the Secret of the sweep, if you may read it.

    \b
    synth gallery ./dataset
    synth gallery ./dataset --watch
    synth gallery spheres-sem-180 -n lab
    """
    from synth_cli.cluster.sweep_names import is_sweep_name

    if watch and (out or pictures):
        raise InputError("--watch", "copies nothing; leave --out and --pictures out")
    if watch and is_sweep_name(dataset, namespace, context):
        from synth_cli.cluster.watch_gallery import watch_sweep

        watch_sweep(dataset, namespace, context, endpoint, port)
        return ExitCode.OK
    if watch:
        watch_folder(parse_path("DATASET", dataset), name, port)
        return ExitCode.OK
    if is_sweep_name(dataset, namespace, context):
        from synth_cli.cluster.fetch_gallery import fetch_gallery

        fetch_gallery(dataset, namespace, context, endpoint, out, pictures=pictures)
        return ExitCode.OK
    return rewrite_gallery(parse_path("DATASET", dataset), name)


def watch_folder(folder: Path, name: str | None, port: int) -> None:
    """Serve the live gallery of a sweep in a folder until Ctrl-C. Raises InputError, DocumentError."""
    from synth_cli.local.gallery_server import serve_gallery
    from synth_dataset.attempts.live_gallery import LiveGallery, choose_sweep
    from synth_dataset.store.folder_store import FolderStore

    store = FolderStore(folder)
    serve_gallery(LiveGallery(store, "local", choose_sweep(store, name), seconds=1.0), port)


def rewrite_gallery(folder: Path, name: str | None) -> int:
    """Write the index, `coco.json` and the page of a dataset in a folder again; print the path of the page."""
    from synth_cli.local.dataset_warnings import print_warnings
    from synth_cli.local.dataset_writing import CommitStoppedError, write_dataset
    from synth_cli.local.interrupts import Interrupts
    from synth_cli.terminal.consoles import open_stderr
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.attempts.attempt import open_committed_attempt
    from synth_dataset.attempts.dataset_commit import open_dataset
    from synth_dataset.store.folder_store import FolderStore
    from synth_dataset.views.gallery_page import GALLERY

    store = FolderStore(folder)
    document = open_dataset(store, name)
    runs = document.cached + document.succeeded
    store.check_writable(f"its page is {store.root / document.folder / GALLERY}")
    with Interrupts() as stop:
        try:
            attempt = open_committed_attempt(store, document)
            dataset = write_dataset(store, attempt, document.failures, stop, runs)
        except CommitStoppedError as stopped:
            open_stderr().print(str(stopped))
            return stop.exit_code
    print_line(str(store.root / document.folder / GALLERY))
    print_warnings(dataset)
    return ExitCode.OK
