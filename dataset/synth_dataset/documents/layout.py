"""Layout of a store: POSIX paths relative to its root, as functions of keys and hashes."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFESTS: Final = "manifests"
RECIPES: Final = "recipes"
RUNS: Final = "runs"
SWEEPS: Final = "sweeps"
SHARDS: Final = "shards"
SHARD_TAR: Final = ".tar"
SHARD_INDEX: Final = ".parquet"
SCRATCH: Final = "scratch"
BATCHES: Final = "batches"
TABLES: Final = ".arrow"
PLAN: Final = "plan.json"
KEYS: Final = "keys.bin"
DATASET: Final = "dataset.json"
INDEX: Final = "index.parquet"
PARTICLES: Final = "particles.parquet"
INSTANCES: Final = "instances.png"
"""Picture of particle ids, which every run has."""
AGGLOMERATES: Final = "agglomerates.png"
"""Picture of agglomerate numbers, of runs of a recipe that makes agglomerates."""
THUMBNAIL: Final = "thumb.webp"
"""Previews of the pictures of a run side by side."""
ANNOTATIONS: Final = "annotations.json"
"""Particle table of a run, and of all runs of a dataset."""
KEY_BYTES: Final = 32
_KEY: Final = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")


def manifest_path(key: str) -> str:
    """Return the path of a run manifest; a run exists if and only if this file does."""
    return f"{MANIFESTS}/{key[:2]}/{key}.json"


def recipe_path(digest: str) -> str:
    """Return the path of a stored recipe, by the sha256 of its content."""
    return f"{RECIPES}/{digest}.json"


def run_path(key: str, c8: str) -> str:
    """Return the folder of the files of a run; `c8` is its content id."""
    return f"{files_path(key)}/{c8}"


def files_path(key: str) -> str:
    """Return the parent of all folders with files of a run."""
    return f"{RUNS}/{key[:2]}/{key}"


def shard_path(name: str) -> str:
    """Return the path of the tar file of a shard."""
    return f"{SHARDS}/{name}{SHARD_TAR}"


def shard_index_path(name: str) -> str:
    """Return the path of the index of a shard; its runs exist if and only if this file does, and the tar file."""
    return f"{SHARDS}/{name}{SHARD_INDEX}"


def parse_shard_name(path: str) -> str:
    """Return the name of a shard in the path of its tar file or index."""
    return path.rpartition("/")[2].removesuffix(SHARD_TAR).removesuffix(SHARD_INDEX)


def list_shards(files: Iterable[str]) -> list[str]:
    """Return the names of the shards that have an index, sorted, of the names of the files of all shards."""
    return sorted(parse_shard_name(name) for name in files if name.endswith(SHARD_INDEX))


def parse_key(path: str) -> str:
    """Return the run key in the path of a manifest or of a run folder."""
    return path.split("/")[2].removesuffix(".json")


def sweep_path(namespace: str, name: str) -> str:
    """Return the folder of all documents of a sweep."""
    return f"{SWEEPS}/{namespace}/{name}"


def attempt_path(namespace: str, name: str, plan: str, attempt: str) -> str:
    """Return the folder of an attempt: the first 8 digits of both hashes."""
    return f"{sweep_path(namespace, name)}/{plan[:8]}/{attempt[:8]}"


def batch_path(attempt: str, batch: int) -> str:
    """Return the path of a batch document in the folder of its attempt."""
    return f"{attempt}/{BATCHES}/{batch}.json"


def batch_tables_path(attempt: str, batch: int) -> str:
    """Return the path of the particle tables of a batch in the folder of its attempt."""
    return f"{attempt}/{BATCHES}/{batch}{TABLES}"


def pointer_path(namespace: str, name: str) -> str:
    """Return the path of the `dataset.json` that names the committed attempt of a sweep."""
    return f"{sweep_path(namespace, name)}/{DATASET}"


def root_link(folder: str) -> str:
    """Return the relative path from a folder of the store to its root, such as `../..`."""
    return "/".join(".." for _ in folder.split("/"))


def compute_content_id(files: Iterable[tuple[str, str]]) -> str:
    """Return `c8` of (path, sha256) pairs: 8 digits of the sha256 over lines `<sha256>  <path>`, sorted by path."""
    lines = (f"{digest}  {path}\n" for path, digest in sorted(files))
    return sha256("".join(lines).encode()).hexdigest()[:8]


def is_label_picture(path: str) -> bool:
    """Return True if a PNG of a run is a label: all but those of the mode `real`."""
    stem, dot, extension = path.rpartition(".")
    folder, _, name = stem.rpartition("/")
    mode_name = folder if len(name) >= 5 and name.isdigit() else name
    return bool(dot) and extension == "png" and not mode_name.endswith("real")


def format_key(key: bytes) -> str:
    """Return a run key in hexadecimal; numpy cuts trailing zeros of S32, which are added again."""
    return key.ljust(KEY_BYTES, b"\0").hex()


def is_key(text: str) -> bool:
    """Return True for a run key in hexadecimal."""
    return _KEY.fullmatch(text) is not None
