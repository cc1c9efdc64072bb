"""Samples of runs and files: drawn by a hash, so that every call draws the same ones."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


def rank(salt: str, name: str) -> int:
    """Return the place of a name in the order of a salt: 63 bits of a sha256."""
    return int.from_bytes(sha256(f"{salt} {name}".encode()).digest()[:8], "big") >> 1


def find_threshold(salt: str, names: Iterable[str], count: int | None = None, share: float = 1.0) -> int:
    """Return the highest rank of the sample: `count` names, else their share, rounded up. Memory: 8 bytes a name."""
    ranks = np.fromiter((rank(salt, name) for name in names), np.int64)
    size = min(int(np.ceil(len(ranks) * share)) if count is None else count, len(ranks))
    return int(np.partition(ranks, size - 1)[size - 1]) if size else -1
