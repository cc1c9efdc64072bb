"""Published versions in a store: a version of the same definition is left alone, one of another is never replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from synth_api.errors import InputError
from synth_api.jobs.dataset_input import dataset_folder, version_folder
from synth_dataset.documents import layout
from synth_dataset.documents.document import parse_document
from synth_dataset.exports.target import WORK
from synth_dataset.versions.version_document import VersionDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.resources.synth_dataset import DatasetDefinition
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.export_document import SourceDocument
    from synth_dataset.store.base import Store

_MAX_SHOWN = 60
"""Characters of a value in a message."""


class PublishedError(InputError):
    """The version is published, from another definition or other runs."""


def find_version(store: Store, namespace: str, name: str, version: str) -> VersionDocument | None:
    """Return the document of a version if it is published. Raises DocumentError."""
    path = f"{version_folder(namespace, name, version)}/{layout.DATASET}"
    try:
        return parse_document(VersionDocument, store.read(path), store.format_uri(path))
    except FileNotFoundError:
        return None


def check_version(document: VersionDocument, definition: DatasetDefinition, sources: Sequence[DatasetSource]) -> None:
    """Raise PublishedError, which names what differs, if a published version is made from something else."""
    if differences := [*_compare_definitions(document.definition, definition.describe())] or [
        *_compare_runs(document.sources, sources)
    ]:
        what = ", ".join(differences)
        problem = f"'{document.version}' is published and stays as it is, but {what}; choose another version"
        raise PublishedError("spec.version", problem)


def write_pointer(store: Store, document: VersionDocument) -> None:
    """Make a version the one that the dataset's own `dataset.json` names."""
    path = f"{dataset_folder(document.namespace, document.name)}/{layout.DATASET}"
    store.write(path, document.to_json())


def remove_leftovers(store: Store, document: VersionDocument) -> None:
    """Remove what the exports of a published version needed until then, and what other builds of it left."""
    names = {export.folder for export in document.exports}
    for child in store.list_children(document.folder):
        if child.is_folder and child.name not in names:
            store.remove_folder(f"{document.folder}/{child.name}")
    for name in names:
        store.remove_folder(f"{document.folder}/{name}/{WORK}")


def _compare_definitions(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            yield f"{key} was {_quote(before.get(key))} and is {_quote(now.get(key))}"


def _compare_runs(before: Sequence[SourceDocument], now: Sequence[DatasetSource]) -> Iterator[str]:
    """Yield the sources whose dataset has other runs; datasets of earlier releases have no root, only an attempt."""
    for old, new in zip(before, now, strict=True):
        has_same_runs = old.root == new.dataset.root if old.root else old.attempt == new.attempt.attempt
        if not has_same_runs:
            yield f"the dataset of '{old.name}' has other runs or labels"


def _quote(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "not set"
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
