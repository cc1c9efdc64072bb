"""Particles of a dataset, counted from its pooled `particles.parquet` as a stream of row groups."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.documents.table_stream import iterate_batches
from synth_dataset.statistics.value_sketch import Moments, ValueSketch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from synth_dataset.statistics.run_table import RunTable

_ROWS: Final = 16_384
VISIBILITY_BINS: Final = 20
_COLUMNS: Final = (
    "run",
    "blueprint",
    "visible_px",
    "amodal_px",
    "visible_fraction",
    "equivalent_diameter",
    "touches_border",
)
_NEAREST: Final = "nearest_px"
"""Column of runs whose particles shine through."""


@dataclass
class ParticleTotals:
    """Counts and size distributions of the particles of some runs."""

    hidden: int = 0
    outside: int = 0
    whole: int = 0
    cut: int = 0
    shares: Moments = field(default_factory=Moments)
    """Visible shares of the visible particles."""
    share_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(VISIBILITY_BINS, np.int64))
    pixels: ValueSketch = field(default_factory=ValueSketch)
    """Equivalent diameters in px of visible particles that no border cuts, with the areas of their silhouettes."""
    lengths: ValueSketch = field(default_factory=ValueSketch)
    """The same in the unit of length; none where a pixel has no size."""
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, rows: _Rows) -> None:
        """Add the particles of some rows."""
        is_seen, is_inside = rows.visible_px > 0, rows.amodal_px > 0
        self.outside += int((~is_inside).sum())
        self.hidden += int((is_inside & ~is_seen).sum())
        self.whole += int((is_seen & (rows.visible_px == rows.amodal_px)).sum())
        self.cut += int((is_seen & rows.touches_border).sum())
        shares = np.nan_to_num(rows.visible_fraction[is_seen])
        self.shares.add(shares)
        self.share_counts += np.histogram(shares, VISIBILITY_BINS, (0.0, 1.0))[0]
        for blueprint, count in zip(*np.unique(rows.blueprint[is_seen], return_counts=True), strict=True):
            self.classes[rows.names[blueprint]] += int(count)
        is_measured = is_seen & ~rows.touches_border & (rows.diameter > 0)
        diameters, areas = rows.diameter[is_measured], rows.amodal_px[is_measured]
        self.pixels.add(diameters, areas)
        lengths = rows.length[is_measured]
        is_known = np.isfinite(lengths)
        self.lengths.add(diameters[is_known] * lengths[is_known], (areas * np.square(lengths))[is_known])


@dataclass(frozen=True)
class _Rows:
    """Particles of one group, each array of shape (particles,)."""

    names: list[str]
    """Category of each number in `blueprint`."""
    blueprint: NDArray[np.int64]
    visible_px: NDArray[np.float64]
    shown_px: NDArray[np.float64]
    """Pixels of which no other particle has one: `nearest_px`, or `visible_px` where none shine through."""
    amodal_px: NDArray[np.float64]
    visible_fraction: NDArray[np.float64]
    diameter: NDArray[np.float64]
    touches_border: NDArray[np.bool_]
    length: NDArray[np.float64]
    """Size of a pixel in the unit of length; NaN where it has none."""

    def select(self, rows: NDArray[np.int64]) -> _Rows:
        """Return some of the particles."""
        arrays = {name: value[rows] for name, value in vars(self).items() if name != "names"}
        return _Rows(self.names, **arrays)


def count_particles(
    particles: pq.ParquetFile,
    runs: RunTable,
    scale: NDArray[np.float64],
    categories: Mapping[str, str],
    advance: Callable[[int], None],
) -> tuple[ParticleTotals, list[ParticleTotals], NDArray[np.float64]]:
    """Return the totals of all runs and of each group, and the pixels of each run that show particles (runs,).

    scale: a scene unit of each run in the unit of length (runs,). categories: category by blueprint. `advance`
    gets the numbers of particles that are done.
    """
    everything, groups = ParticleTotals(), [ParticleTotals() for _ in runs.values]
    covered = np.zeros(len(runs))
    columns = [*_COLUMNS, *(name for name in particles.schema_arrow.names if name == _NEAREST)]
    for batch in iterate_batches(particles, _ROWS, columns):
        places = runs.find_places(batch.column("run").to_numpy())
        rows = _read_rows(batch, runs.pixel_size[places] * scale[places], categories)
        first = int(places.min()) if len(places) else 0  # a batch has a few neighbouring runs of perhaps a million
        counts = np.bincount(places - first, rows.shown_px)
        covered[first : first + len(counts)] += counts
        everything.add(rows)
        for group, members in _split(runs.group[places]) if groups else ():
            groups[group].add(rows.select(members))
        advance(len(batch))
    return everything, groups, covered


def _split(groups: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each group with the rows that it has."""
    order = np.argsort(groups, kind="stable")
    present, first = np.unique(groups[order], return_index=True)
    yield from zip(present.tolist(), np.split(order, first[1:]), strict=True)


def _read_rows(batch: pa.RecordBatch, lengths: NDArray[np.float64], categories: Mapping[str, str]) -> _Rows:
    blueprints = batch.column("blueprint").fill_null("").dictionary_encode()
    names = [categories.get(name, name) for name in blueprints.dictionary.to_pylist()]
    visible_px = np.nan_to_num(_to_floats(batch, "visible_px"))
    nearest_px = _to_floats(batch, _NEAREST) if _NEAREST in batch.schema.names else np.full(len(batch), np.nan)
    return _Rows(
        names=names,
        blueprint=blueprints.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        visible_px=visible_px,
        shown_px=np.where(np.isnan(nearest_px), visible_px, nearest_px),
        amodal_px=np.nan_to_num(_to_floats(batch, "amodal_px")),
        visible_fraction=_to_floats(batch, "visible_fraction"),
        diameter=_to_floats(batch, "equivalent_diameter"),
        touches_border=batch.column("touches_border").fill_null(False).to_numpy(zero_copy_only=False),
        length=lengths,
    )


def _to_floats(batch: pa.RecordBatch, name: str) -> NDArray[np.float64]:
    """Return a column as floats; a null is NaN."""
    values: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return values.astype(np.float64)
