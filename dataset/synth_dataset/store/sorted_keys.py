"""Look-up of run keys in sorted arrays of type S32."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_PAGE: Final = 1000


def find_keys(keys: NDArray[np.bytes_], names: Iterable[str]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the keys that are among hexadecimal names. Memory depends on `keys` alone."""
    wanted, places = np.unique(keys, return_inverse=True)
    return mark_keys(wanted, names)[places]


def mark_keys(ordered: NDArray[np.bytes_], names: Iterable[str]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the first of equal keys of `ordered` (N,), which is sorted, that are among names."""
    found = np.zeros(len(ordered), np.bool_)
    existing = (bytes.fromhex(name) for name in names if layout.is_key(name))
    for page in _split_pages(existing):
        found[match_keys(ordered, np.array(page, ordered.dtype))[0]] = True
    return found


def match_keys(ordered: NDArray[np.bytes_], listed: NDArray[np.bytes_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the places in `ordered`, which is sorted, of those listed keys that are there, and the mask of these."""
    at = np.searchsorted(ordered, listed)
    is_there = at < len(ordered)
    is_there[is_there] = ordered[at[is_there]] == listed[is_there]
    return at[is_there], is_there


def _split_pages(keys: Iterator[bytes]) -> Iterator[list[bytes]]:
    while page := list(islice(keys, _PAGE)):
        yield page
