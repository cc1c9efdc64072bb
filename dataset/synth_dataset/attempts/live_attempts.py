"""Which attempts and runs of a store are needed: live are the committed and the newest attempt of each sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_dataset.attempts.attempt import attempt_paths, committed, open_attempt
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class SweepAttempts:
    """The folders of a sweep's attempts."""

    live: tuple[str, ...]
    dead: tuple[str, ...]


def sweeps(store: Store) -> Iterator[tuple[str, str]]:
    """Namespace and name of all sweeps of a store."""
    for namespace in store.children(layout.SWEEPS):
        for sweep in store.children(f"{layout.SWEEPS}/{namespace.name}"):
            yield namespace.name, sweep.name


def attempts_of(store: Store, namespace: str, name: str) -> SweepAttempts:
    """A sweep's attempts. Raises DocumentError at one that cannot be read."""
    paths = attempt_paths(store, namespace, name)
    begun = {path for path in paths if _is_begun(store, path)}
    opened = [open_attempt(store, path) for path in paths if path not in begun]
    dataset = committed(store, namespace, name)
    if dataset is not None and dataset.folder not in paths:
        raise DocumentError(f"{store.uri(dataset.folder)}: the committed attempt is missing; restore it")
    newest = max(opened, key=lambda attempt: attempt.document.created, default=None)
    live = begun | {dataset.folder if dataset else "", newest.path if newest else ""}
    return SweepAttempts(
        live=tuple(path for path in paths if path in live), dead=tuple(path for path in paths if path not in live)
    )


def keys_of(store: Store, attempts: Iterable[str]) -> NDArray[np.bytes_]:
    """The sorted keys of attempts, of type S32, each once. Raises DocumentError at a file of another length."""
    data = b"".join(_keys(store, path) for path in attempts)
    keys: NDArray[np.bytes_] = np.unique(np.frombuffer(data, f"S{layout.KEY_BYTES}"))
    return keys


def contains(sorted_keys: NDArray[np.bytes_], keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Which of `keys` are among `sorted_keys`."""
    places = np.searchsorted(sorted_keys, keys)
    found: NDArray[np.bool_] = np.zeros(len(keys), np.bool_)
    inside = places < len(sorted_keys)
    found[inside] = sorted_keys[places[inside]] == keys[inside]
    return found


def _keys(store: Store, attempt: str) -> bytes:
    path = f"{attempt}/{layout.KEYS}"
    data = store.read(path)
    if len(data) % layout.KEY_BYTES:
        raise DocumentError(f"{store.uri(path)}: does not hold whole keys; restore the file or remove the attempt")
    return data


def _is_begun(store: Store, path: str) -> bool:
    """Whether it is being written to a bucket: its keys are there before its plan."""
    return not store.exists(f"{path}/{layout.PLAN}") and store.exists(f"{path}/{layout.KEYS}")
