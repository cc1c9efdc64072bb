"""Runs of a dataset rendered again, to compare them with what is stored or to take its place."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from synth_api.errors import InputError
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.parsing import parse_recipe
from synth_api.recipe.run_key import compute_run_key
from synth_api.recipe.traced_pictures import has_traced_pictures
from synth_api.sweep.axes import Axis
from synth_api.sweep.run_space import RunSpace
from synth_cli.local.render_sweep import RenderSettings, render_tasks
from synth_cli.local.run_tally import Tally
from synth_dataset.attempts.attempt import iterate_keys, read_key
from synth_dataset.attempts.render_call import OtherRuns
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import RECIPES, is_label_picture, manifest_path, recipe_path
from synth_dataset.documents.stored_recipe import encode_recipe
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.verification.fault import Checked, Fault, explain_remedy, shorten_digest
from synth_dataset.verification.stored_files import compute_digest
from synth_renderer.runtime.pool import STARTUP_SECONDS
from synth_renderer.runtime.protocol import RunTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from synth_api.recipe.model import Recipe
    from synth_cli.local.interrupts import Interrupts
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.run_manifest import Manifest


@dataclass(frozen=True)
class StoredRun:
    """A run of a dataset whose recipe is known: it has the key of the run."""

    number: int
    key: str
    recipe: Recipe


def read_run(source: DatasetSource, number: int) -> StoredRun | None:
    """Return a run with its recipe, from its manifest or else from the plan of its sweep.

    None if neither gives a recipe with the key of the run, as in a dataset of another engine version.
    """
    key = read_key(source.store, source.dataset.folder, number).hex()
    for recipe in _iterate_recipes(source, number, key):
        if compute_run_key(recipe) == key:
            return StoredRun(number, key, recipe)
    return None


def _iterate_recipes(source: DatasetSource, number: int, key: str) -> Iterator[Recipe]:
    with suppress(KeyError, DocumentError, InputError):
        yield parse_recipe(source.store.read_recipe(source.store.read_manifest(key)))
    with suppress(InputError):
        yield from _compose_run(source, number)


def _compose_run(source: DatasetSource, number: int) -> Iterator[Recipe]:
    """Yield the recipe of a run that the plan gives; none of a joined dataset and of earlier releases."""
    attempt = source.attempt
    if attempt.recipe is not None and not attempt.parts:
        axes = tuple(Axis("", axis.path, axis.values, axis.zipped) for axis in attempt.axes)
        yield RunSpace(axes=axes, base=attempt.recipe).build_recipe(number)


def restore_recipe(source: DatasetSource) -> None:
    """Write the stored recipe of a dataset, which its plan gives, if it is missing or damaged. Raises StoreError."""
    tree = _build_base(source)
    if tree is None:
        return
    content = encode_recipe(tree)
    digest = sha256(content).hexdigest()
    path = recipe_path(digest)
    try:
        _, found = compute_digest(source.store, path)
    except FileNotFoundError:
        found = ""
    if found != digest:
        source.store.write(path, content)


def _build_base(source: DatasetSource) -> dict[str, Any] | None:
    """Return the canonical tree of the first run of the dataset's sweep, as the plan gives it."""
    first = next(
        (number for number, key in enumerate(iterate_keys(source.store, source.dataset.folder)) if any(key)), 0
    )
    with suppress(InputError):
        for recipe in _compose_run(source, first):
            if compute_run_key(recipe) == read_key(source.store, source.dataset.folder, first).hex():
                return build_canonical_tree(recipe)
    return None


@contextmanager
def render_again(
    source: DatasetSource, runs: Sequence[StoredRun], engine: str, stop: Interrupts
) -> Iterator[tuple[FolderStore, Tally]]:
    """Render runs into a temporary store, as `synth render` does; it is removed after the `with` block.

    Raises PoolUnavailableError.
    """
    tally = Tally(cached=0)
    with source.store.open_scratch("rendered") as folder:
        store = FolderStore(folder.resolve())
        settings = RenderSettings(None, None, "auto", engine, STARTUP_SECONDS, OtherRuns.REFUSE)
        if runs:
            base = _build_base(source)
            tasks = (_to_task(source, run, base) for run in runs)
            is_traced = any(has_traced_pictures(run.recipe) for run in runs)
            render_tasks(tasks, len(runs), store, settings, tally, stop, is_traced=is_traced)
        yield store, tally


def _to_task(source: DatasetSource, run: StoredRun, base: dict[str, Any] | None) -> RunTask:
    tree = build_canonical_tree(run.recipe)
    overrides = source.attempt.overrides(run.number)
    return RunTask(number=run.number, key=run.key, overrides=overrides, recipe=tree, base=base or tree)


def compare_runs(source: DatasetSource, runs: Iterable[StoredRun], again: FolderStore) -> Iterator[Checked | str]:
    """Yield the outcome of each run that was rendered again, and notes about pictures, which may differ."""
    for run in runs:
        try:
            found, stored = again.read_manifest(run.key), source.store.read_manifest(run.key)
        except (KeyError, DocumentError):
            continue  # it failed, or has no manifest to compare with; both are said already
        yield Checked(tuple(_compare_labels(source, run.number, stored, found)))
        digests = {file.path: file.sha256 for file in stored.files}
        others = [
            file.path
            for file in found.files
            if file.path.endswith(".png") and not is_label_picture(file.path) and digests.get(file.path) != file.sha256
        ]
        if others:
            where = "" if stored.processor == found.processor else f"; it was rendered on {stored.processor}"
            yield f"run {run.number}: {', '.join(others)} of another content, as other processors give{where}"


def _compare_labels(source: DatasetSource, number: int, stored: Manifest, found: Manifest) -> Iterator[Fault]:
    if stored.label_digest != found.label_digest:
        address = source.store.format_uri(manifest_path(stored.key))
        expected = f"label digest {shorten_digest(found.label_digest)}, as rendered again"
        yield Fault(address, expected, shorten_digest(stored.label_digest), explain_remedy(number), number)


def replace_runs(source: DatasetSource, runs: Iterable[StoredRun], again: FolderStore) -> int:
    """Commit the runs that were rendered again to the store of the dataset; return their number.

    Raises StoreError, StoreFullError.
    """
    replaced = 0
    for path in again.iterate_files(RECIPES):
        source.store.write(path, again.read(path))
    for run in runs:
        try:
            manifest = again.read_manifest(run.key)
        except KeyError:
            continue
        source.store.commit_run(again.run_folder(manifest), manifest)
        replaced += 1
    return replaced
