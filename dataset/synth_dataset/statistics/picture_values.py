"""Grey values of real images: mean, deviation and noise of a sample of runs."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.png import decode_png
from synth_dataset.documents.remedies import REPAIR_RUN
from synth_dataset.statistics.run_table import read_key_starts
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.progress import ignore_progress
from synth_dataset.views.run_pictures import choose_picture, list_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from synth_dataset.documents.pictures import Pixels
    from synth_dataset.statistics.run_table import RunTable
    from synth_dataset.store.base import Store

_log = logging.getLogger(__name__)
P = TypeVar("P")

_LUMINANCE: Final = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in the luminance of ITU-R BT.601."""
_GAIN: Final = 6.0
"""Deviation of the response to white noise of deviation 1: the norm of (1, -2, 1) twice."""
_MEDIAN_SHARE: Final = 0.6744897501960817
"""The median of the absolute values of a normal law of deviation 1."""


@dataclass(frozen=True)
class PictureTable:
    """Values of the real images that were read, each array of shape (pictures,)."""

    place: NDArray[np.int64]
    """Place of the run in the table of runs."""
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    noise: NDArray[np.float64]


def choose_runs(index: pq.ParquetFile, runs: RunTable, sample: int) -> NDArray[np.int64]:
    """Return the places of about `sample` runs, in the order of numbers, as many of each group where it has so many.

    They are the first by run key, a hash, so the choice is random but always the same.
    """
    groups = max(1, len(runs.values))
    share = -(-sample // groups)
    is_chosen, starts = np.zeros(len(runs), np.bool_), read_key_starts(index)
    for group in range(groups):
        is_member = runs.group == group
        keys = starts[is_member]
        if len(keys) > share:
            keys.partition(share)
            is_member &= starts < keys[share]
        is_chosen |= is_member
    return np.flatnonzero(is_chosen)


def measure_pictures(
    read: Callable[[P], Pixels | None],
    pictures: Sequence[P],
    places: NDArray[np.int64],
    threads: int,
    advance: Callable[[int], None] = ignore_progress,
    *,
    is_strict: bool = True,
) -> PictureTable:
    """Read and measure pictures, some at once; one that is None is left out.

    places: those of their runs in the table of runs (pictures,).
    Raises DocumentError for a missing or damaged file, or leaves it out with a warning if not strict; StoreError.
    """
    measure = partial(_measure if is_strict else _try_to_measure, read)
    found = []
    for place, values in zip(places.tolist(), read_ahead(measure, pictures, threads), strict=True):
        advance(1)
        if values is not None:
            found.append((place, *values))
    table = np.array(found, np.float64).reshape(-1, 4)
    return PictureTable(table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3])


def count_threads(store: Store) -> int:
    """Return how many pictures of a store are read at once where memory is no concern."""
    return max(store.max_requests, os.cpu_count() or 1)


def _measure(read: Callable[[P], Pixels | None], picture: P) -> tuple[float, float, float] | None:
    pixels = read(picture)
    return None if pixels is None else measure_picture(pixels)


def _try_to_measure(read: Callable[[P], Pixels | None], picture: P) -> tuple[float, float, float] | None:
    try:
        return _measure(read, picture)
    except DocumentError as error:
        _log.warning("statistics without a picture: %s", error)
        return None


def read_picture(store: Store, key: str) -> Pixels | None:
    """Return the first real image of a run; None if it has none. Raises DocumentError for a missing or damaged file."""
    try:
        manifest = store.read_manifest(key)
        picture = choose_picture(list_pictures(manifest))
        if picture == layout.INSTANCES:
            return None
        path = f"{layout.run_path(key, manifest.c8)}/{picture}"
        return decode_png(store.read(path), store.format_uri(path))
    except (KeyError, OSError) as error:
        raise DocumentError(f"run {key[:12]} of {store.location}: {_explain(error)}; {REPAIR_RUN}") from error


def _explain(error: KeyError | OSError) -> str:
    if isinstance(error, KeyError):
        return "its manifest is missing"
    if isinstance(error, FileNotFoundError):
        return "its picture is missing"
    return f"its picture cannot be read ({error})"


def measure_picture(pixels: Pixels) -> tuple[float, float, float]:
    """Return mean, standard deviation and noise of a picture (H, W) or (H, W, 3), in grey levels."""
    grey: Pixels = pixels if pixels.ndim == 2 else (pixels @ _LUMINANCE).round().astype(pixels.dtype)
    return float(grey.mean()), float(grey.std()), estimate_noise(grey)


def estimate_noise(grey: Pixels) -> float:
    """Estimate the standard deviation of white noise in a picture (H, W), in grey levels; 0 below 3 px.

    Second differences along columns and rows are the operator of Immerkær, "Fast noise variance estimation", Computer
    Vision and Image Understanding 64 (1996), but with the median of the absolute response, as Donoho and Johnstone
    (Biometrika 81, 1994) take it, in place of its mean: edges and texture of less than half of the picture do not
    count as noise.
    """
    if min(grey.shape) < 3:
        return 0.0
    small = np.int16 if grey.dtype == np.uint8 else np.int32  # the response is at most 8 times the largest grey level
    response = np.diff(np.diff(grey.astype(small), 2, axis=0), 2, axis=1)
    counts = np.bincount(np.abs(response).ravel())
    return _find_median(counts) / (_GAIN * _MEDIAN_SHARE)


def _find_median(counts: NDArray[np.int64]) -> float:
    """Return the median of absolute whole numbers, interpolated: `counts[k]` values lie between k - 0.5 and k + 0.5.

    It is 0 if half of the values are 0: rounding hides the noise.
    """
    sums = np.cumsum(counts)
    half = sums[-1] / 2
    place = int(np.searchsorted(sums, half))
    return place - 0.5 + float(half - sums[place - 1]) / float(counts[place]) if place else 0.0
