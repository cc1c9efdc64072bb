"""A dataset's page and what it shows, copied from a store into a folder in which it opens."""

from __future__ import annotations

import json
import posixpath
import re
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from synth_api.errors import InputError
from synth_api.reasons import Reason
from synth_cli.cluster.connection import connect_for
from synth_cli.cluster.store_access import opened_store
from synth_cli.local.dataset_notes import print_notes
from synth_cli.terminal.output import print_line
from synth_cli.terminal.progress import meter
from synth_cli.terminal.streams import stderr
from synth_dataset.attempts.attempt import committed
from synth_dataset.documents.layout import RUNS
from synth_dataset.store.base import StoreError
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.dataset_views import GALLERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.store.base import Store

_RUN: Final = re.compile(r'<article [^>]*data-set="(\d+)".*?<img src="([^"]+)/thumb\.webp"', re.DOTALL)
_SETS: Final = re.compile(r'id="picture-sets">(.*?)</script>', re.DOTALL)


def fetch_gallery(
    name: str, namespace: str | None, context: str | None, endpoint: str | None, out: Path | None, *, pictures: bool
) -> None:
    """Copy a sweep's page and thumbnails, with `pictures` the full ones that it links to; print the page's path.

    Raises InputError where there is no dataset yet, StoreError where the store cannot be used.
    """
    cluster = connect_for(name, context, namespace)
    sweep = cluster.sweep(name)
    with opened_store(cluster, sweep, endpoint) as store, _with_hint(endpoint):
        dataset = committed(store, sweep.namespace, sweep.name)
        if dataset is None:
            phase = sweep.status.phase.value
            raise InputError(name, f"has no dataset yet, it is {phase}; ask again when a dataset is committed")
        folder = out or Path(f"{name}-gallery")
        page = f"{dataset.folder}/{GALLERY}"
        copy(store, linked(store.read(page).decode(), dataset.folder, pictures=pictures), folder)
        copy(store, [page], folder)
    print_line(str(folder / page))
    print_notes(dataset)


@contextmanager
def _with_hint(endpoint: str | None) -> Iterator[None]:
    """A store that pods reach may have no name on this machine."""
    try:
        yield
    except StoreError as error:
        if endpoint is not None or error.reason is not Reason.STORE_UNREACHABLE:
            raise
        hint = "; if only pods reach it, forward a port and give --endpoint"
        raise StoreError(error.reason, f"{error}{hint}") from None


def linked(page: str, folder: str, *, pictures: bool) -> list[str]:
    """Files of the store that the page in a folder of it shows, and those that its viewer can show."""
    found = _SETS.search(page)
    sets = [[entry["path"] for entry in entries] for entries in json.loads(found[1])] if pictures and found else []
    links = [
        f"{run}/{file}"
        for number, run in _RUN.findall(page)
        for file in ("thumb.webp", *(sets[int(number)] if sets else ()))
    ]
    return [_path(folder, link) for link in links]


def copy(store: Store, paths: list[str], folder: Path) -> None:
    """Copy files of a store into a folder, at the same paths; of a run what is there is the same and stays."""
    missing = [path for path in paths if not path.startswith(f"{RUNS}/") or not (folder / path).exists()]
    with meter(stderr(), "fetching", len(missing), "file") as progress:
        try:
            for path, content in zip(missing, read_ahead(store.read, missing, store.requests_at_once), strict=True):
                _write(folder / path, content)
                progress.advance()
        except FileNotFoundError as error:
            problem = "is gone from the store; synth retry renders its run anew"
            raise InputError(str(error.filename), problem) from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _path(folder: str, link: str) -> str:
    """Path in the store of a relative link. Raises InputError for one that leads out of it."""
    path = posixpath.normpath(posixpath.join(folder, unquote(unescape(link))))
    if path.startswith(("..", "/")):
        raise InputError(link, "the page links out of its store; it was not made by this program")
    return path
