"""Live attempts, whose runs are needed: the committed and the newest attempt of each sweep, and unfinished ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_dataset.attempts.attempt import find_dataset, list_attempts, open_attempt
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class SweepAttempts:
    """Folders of the attempts of a sweep, relative to the store."""

    live: tuple[str, ...]
    dead: tuple[str, ...]


def list_sweeps(store: Store) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of all sweeps of a store."""
    for namespace in store.list_children(layout.SWEEPS):
        for sweep in store.list_children(f"{layout.SWEEPS}/{namespace.name}"):
            yield namespace.name, sweep.name


def find_attempts(store: Store, namespace: str, name: str) -> SweepAttempts:
    """Find the attempts of a sweep. Raises DocumentError for one that cannot be read."""
    paths = list_attempts(store, namespace, name)
    unfinished = {path for path in paths if _is_unfinished(store, path)}
    attempts = [open_attempt(store, path) for path in paths if path not in unfinished]
    dataset = find_dataset(store, namespace, name)
    if dataset is not None and dataset.folder not in paths:
        raise DocumentError(f"{store.format_uri(dataset.folder)}: the committed attempt is missing; restore it")
    newest = max(attempts, key=lambda attempt: attempt.document.created, default=None)
    live = unfinished | {dataset.folder if dataset else "", newest.path if newest else ""}
    return SweepAttempts(
        live=tuple(path for path in paths if path in live), dead=tuple(path for path in paths if path not in live)
    )


def find_live(store: Store, but: tuple[str, str] | None = None) -> list[str]:
    """Return the live attempts of all sweeps but that of this namespace and name. Raises DocumentError."""
    return [path for sweep in list_sweeps(store) if sweep != but for path in find_attempts(store, *sweep).live]


def collect_keys(store: Store, attempts: Iterable[str]) -> NDArray[np.bytes_]:
    """Return the unique keys of attempts, sorted, of type S32. Raises DocumentError for a truncated file."""
    data = b"".join(_read_keys(store, path) for path in attempts)
    keys: NDArray[np.bytes_] = np.unique(np.frombuffer(data, f"S{layout.KEY_BYTES}"))
    return keys


def contains_keys(sorted_keys: NDArray[np.bytes_], keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the `keys` (N,) that are among `sorted_keys`; both of type S32."""
    positions = np.searchsorted(sorted_keys, keys)
    found: NDArray[np.bool_] = np.zeros(len(keys), np.bool_)
    inside = positions < len(sorted_keys)
    found[inside] = sorted_keys[positions[inside]] == keys[inside]
    return found


def _read_keys(store: Store, attempt: str) -> bytes:
    path = f"{attempt}/{layout.KEYS}"
    data = store.read(path)
    if len(data) % layout.KEY_BYTES:
        raise DocumentError(
            f"{store.format_uri(path)}: does not hold whole keys; restore the file or remove the attempt"
        )
    return data


def _is_unfinished(store: Store, path: str) -> bool:
    """Return True while an attempt is uploaded to a bucket: its keys exist before its plan."""
    return not store.exists(f"{path}/{layout.PLAN}") and store.exists(f"{path}/{layout.KEYS}")
