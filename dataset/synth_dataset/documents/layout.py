"""Where everything lies in a store, relative to its prefix: pure functions of keys and hashes, POSIX paths."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFESTS: Final = "manifests"
RUNS: Final = "runs"
SWEEPS: Final = "sweeps"
SCRATCH: Final = "scratch"
BATCHES: Final = "batches"
PLAN: Final = "plan.json"
KEYS: Final = "keys.bin"
DATASET: Final = "dataset.json"
INDEX: Final = "index.parquet"
KEY_BYTES: Final = 32


def manifest_path(key: str) -> str:
    """The manifest of a run; the run exists exactly when this file does."""
    return f"{MANIFESTS}/{key[:2]}/{key}.json"


def run_path(key: str, c8: str) -> str:
    """The folder of a run's files."""
    return f"{files_path(key)}/{c8}"


def files_path(key: str) -> str:
    """The folder of all folders of a run's files."""
    return f"{RUNS}/{key[:2]}/{key}"


def key_of(path: str) -> str:
    """The run key in the path of a manifest or of a run's folder."""
    return path.split("/")[2].removesuffix(".json")


def sweep_path(namespace: str, name: str) -> str:
    """Everything of a sweep."""
    return f"{SWEEPS}/{namespace}/{name}"


def attempt_path(namespace: str, name: str, plan: str, attempt: str) -> str:
    """Everything of an attempt; both hashes in full, the first 8 digits count."""
    return f"{sweep_path(namespace, name)}/{plan[:8]}/{attempt[:8]}"


def batch_path(attempt: str, batch: int) -> str:
    """The document of a batch, in the folder of its attempt."""
    return f"{attempt}/{BATCHES}/{batch}.json"


def pointer_path(namespace: str, name: str) -> str:
    """The document that names the committed attempt of a sweep."""
    return f"{sweep_path(namespace, name)}/{DATASET}"


def root_link(folder: str) -> str:
    """The way from a folder of the store to the store's root, `../..`."""
    return "/".join(".." for _ in folder.split("/"))


def content_id(files: Iterable[tuple[str, str]]) -> str:
    """`c8` of (path, sha256) pairs in any order: sha256 over lines `<sha256>  <path>`, sorted by path."""
    lines = (f"{digest}  {path}\n" for path, digest in sorted(files))
    return sha256("".join(lines).encode()).hexdigest()[:8]


def is_label_picture(path: str) -> bool:
    """Whether a PNG of a run's folder is a label: all but those of the mode `real`."""
    stem, dot, extension = path.rpartition(".")
    folder, _, name = stem.rpartition("/")
    mode_name = folder if len(name) >= 5 and name.isdigit() else name
    return bool(dot) and extension == "png" and not mode_name.endswith("real")


def key_text(key: bytes) -> str:
    """A run key of 32 bytes, or of fewer where zeros at its end were cut off (as numpy does), in hexadecimal."""
    return key.ljust(KEY_BYTES, b"\0").hex()


def is_key(text: str) -> bool:
    """Whether it is a run key in hexadecimal."""
    return len(text) == 2 * KEY_BYTES and set(text) <= set("0123456789abcdef")
