"""Copy of a sweep's gallery: the page and its pictures, copied from the store into a folder."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_cli.cluster.connection import connect_for_sweep
from synth_cli.cluster.store_access import open_sweep_store
from synth_cli.local.dataset_warnings import print_warnings
from synth_cli.terminal.consoles import open_stderr
from synth_cli.terminal.progress import open_meter
from synth_cli.terminal.standard_streams import print_line
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.documents.layout import RUNS
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.statistics.statistics_page import STATISTICS_PAGE
from synth_dataset.store.base import StoreError
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.gallery_files import list_gallery_files
from synth_dataset.views.gallery_page import GALLERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.store.base import Store


def fetch_gallery(
    name: str, namespace: str | None, context: str | None, endpoint: str | None, out: Path | None, *, pictures: bool
) -> None:
    """Copy the page and thumbnails of a sweep, with `pictures` the full pictures too; print the path of the page.

    Raises InputError while there is no dataset, StoreError if the store cannot be used.
    """
    cluster = connect_for_sweep(name, context, namespace)
    sweep = cluster.read_sweep(name)
    with open_sweep_store(cluster, sweep, endpoint) as store, hint_at_endpoint(endpoint), _explain_missing_files():
        dataset = find_dataset(store, sweep.namespace, sweep.name)
        if dataset is None:
            phase = sweep.status.phase.value
            raise InputError(name, f"has no dataset yet, it is {phase}; ask again when a dataset is committed")
        folder = out or Path(f"{name}-gallery")
        page = f"{dataset.folder}/{GALLERY}"
        copy_files(store, list_gallery_files(store, dataset, with_pictures=pictures), folder)
        copy_files(store, [f"{dataset.folder}/{STATISTICS_PAGE}"] * (STATISTICS_PAGE in dataset.file_names), folder)
        copy_files(store, [page], folder)
    print_line(str(folder / page))
    print_warnings(dataset)


@contextmanager
def hint_at_endpoint(endpoint: str | None) -> Iterator[None]:
    """Add a hint to STORE_UNREACHABLE: the endpoint of the pods may have no name on this machine."""
    try:
        yield
    except StoreError as error:
        if endpoint is not None or error.reason is not Reason.STORE_UNREACHABLE:
            raise
        hint = "; if only pods reach it, forward a port and give --endpoint"
        raise StoreError(error.reason, f"{error}{hint}") from None


@contextmanager
def _explain_missing_files() -> Iterator[None]:
    """Raise InputError with a remedy for a file that is missing in the store."""
    try:
        yield
    except FileNotFoundError as error:
        problem = "is missing in the store; synth retry renders its run again"
        raise InputError(str(error.filename), problem) from None


def copy_files(store: Store, paths: list[str], folder: Path) -> None:
    """Copy files of a store to the same paths below a folder; files of a run never change and are copied once.

    Raises FileNotFoundError for a missing file, DocumentError for a path that leads out of the folder.
    """
    missing = [
        path
        for path in map(check_stored_path, paths)
        if not path.startswith(f"{RUNS}/") or not (folder / path).exists()
    ]
    with open_meter(open_stderr(), "fetching", len(missing), "file") as progress:
        for path, content in zip(missing, read_ahead(store.read, missing, store.max_requests), strict=True):
            _write_file(folder / path, content)
            progress.advance()


def _write_file(path: Path, content: bytes) -> None:
    """Write a file in one step, so that an interruption leaves no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
