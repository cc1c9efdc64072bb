"""Stored recipes that nothing needs: no manifest names them, and no live attempt begins with their run."""

from __future__ import annotations

import json
import logging
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from synth_api.canonical_json import canonical_json
from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.attempt import read_first_key
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.stored_recipe import RecipeReference
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

_log = logging.getLogger(__name__)


def find_unneeded_recipes(
    store: Store,
    kept: Iterable[str],
    limit: float,
    find_live: Callable[[], Iterable[str]],
    deleted: Collection[bytes] = (),
) -> Iterator[tuple[str, int]]:
    """Yield path and size of the recipes that nothing needs; none while the manifest of a kept run cannot be read.

    Needed are those that the manifest of a run of `kept`, hexadecimal keys, names; those of the first run of an attempt
    of `find_live`, whose workers may be about to write manifests; and those that have changed since `limit`, in seconds
    since the epoch, unless their run is in `deleted`: the first runs of attempts whose runs are gone. Manifests are
    read until each other recipe is found in one, and then the live attempts again: a sweep may have begun meanwhile.
    """
    recipes = dict(store.list_usages(layout.RECIPES))
    paths = [path for path, usage in recipes.items() if deleted or usage.newest < limit]
    keys = dict(zip(paths, read_ahead(partial(_compute_key, store), paths, store.max_requests), strict=True))
    begun = _read_first_keys(store, find_live())
    unnamed = {
        path for path, key in keys.items() if key not in begun and (recipes[path].newest < limit or key in deleted)
    }
    if not unnamed:
        return
    for named in read_ahead(partial(_read_reference, store), kept, store.max_requests):
        unnamed -= unnamed if named is None else named
        if not unnamed:
            return
    begun = _read_first_keys(store, find_live())
    yield from ((path, recipes[path].bytes) for path in sorted(unnamed) if keys[path] not in begun)


def _read_first_keys(store: Store, attempts: Iterable[str]) -> set[bytes]:
    return {key for path in attempts if (key := read_first_key(store, path)) is not None}


def read_sound_manifest(store: Store, key: str) -> Manifest | None:
    """Return the manifest of a run; None, with a warning that names it, for one that cannot be read.

    Raises KeyError if there is none.
    """
    try:
        return store.read_manifest(key)
    except DocumentError as error:
        _log.warning("%s; until then its files are kept", error)
        return None


def _compute_key(store: Store, path: str) -> bytes | None:
    """Return the key of the run of a stored recipe; None if it was just removed or is no JSON."""
    try:
        document = {"engine": ENGINE_VERSION, "recipe": json.loads(store.read(path))}
    except (FileNotFoundError, ValueError):
        return None
    return sha256(canonical_json(document)).digest()


def _read_reference(store: Store, key: str) -> set[str] | None:
    """Return the paths of the recipes that the manifest of a run names; None if it cannot be read."""
    try:
        manifest = read_sound_manifest(store, key)
    except KeyError:  # just removed
        return set()
    if manifest is None:
        return None
    reference = manifest.recipe
    return {layout.recipe_path(reference.sha256)} if isinstance(reference, RecipeReference) else set()
