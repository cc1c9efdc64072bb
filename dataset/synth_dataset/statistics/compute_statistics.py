"""Statistics of a dataset from its index, its pooled particle table and values of some of its pictures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.statistics.bars import build_histogram, count_values
from synth_dataset.statistics.particle_totals import count_particles
from synth_dataset.statistics.size_law import fit_law
from synth_dataset.statistics.statistics_document import (
    Duplicates,
    GroupStatistics,
    PictureValues,
    Quantiles,
    Sizes,
    Spread,
    StatisticsDocument,
    Visibility,
)
from synth_dataset.views.progress import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

    from synth_dataset.documents.attempt_document import Category
    from synth_dataset.statistics.particle_totals import ParticleTotals
    from synth_dataset.statistics.picture_values import PictureTable
    from synth_dataset.statistics.run_table import RunTable
    from synth_dataset.statistics.value_sketch import ValueSketch

_EXAMPLES: Final = 20
_SIZE_BINS: Final = 48
_SHARES: Final = {"d10": 0.1, "d50": 0.5, "d90": 0.9}


def compute_statistics(
    name: str,
    runs: RunTable,
    open_particles: Callable[[], pq.ParquetFile],
    categories: Sequence[Category],
    pictures: PictureTable | None = None,
    advance: Callable[[int], None] = ignore_progress,
) -> StatisticsDocument:
    """Return the statistics of a dataset, of all its runs and of each value of the axis `runs.by`.

    open_particles: opens the pooled table of its runs, which is read as a stream and then let go, because the footer
    of a million runs takes 27 MB. pictures: None leaves grey values out. `advance` gets the numbers of particles that
    are done.
    """
    unit, scale = _find_unit(runs)
    names = {blueprint: category.name for category in categories for blueprint in category.members}
    everything, groups, fractions = count_particles(open_particles(), runs, scale, names, advance)
    fractions /= np.multiply(runs.width, runs.height, dtype=np.float64)
    classes = [category.name for category in categories if not category.agglomerates]
    describe = partial(_describe_group, runs, fractions, pictures, unit, classes)
    return StatisticsDocument(
        name=name,
        all=describe(everything, np.ones(len(runs), np.bool_), None),
        by=runs.by,
        groups=tuple(describe(totals, runs.group == place, runs.values[place]) for place, totals in enumerate(groups)),
        duplicates=_find_duplicates(runs),
    )


def _find_unit(runs: RunTable) -> tuple[str, NDArray[np.float64]]:
    """Return the unit of length of all runs, and a scene unit of each run in it (runs,)."""
    if len(runs) and np.isfinite(runs.scale).all():
        return "nm", runs.scale
    return "scene units", np.broadcast_to(np.float64(1), len(runs))


def _describe_group(
    runs: RunTable,
    fractions: NDArray[np.float64],
    pictures: PictureTable | None,
    unit: str,
    categories: Sequence[str],
    totals: ParticleTotals,
    members: NDArray[np.bool_],
    value: Any,
) -> GroupStatistics:
    """Return the statistics of the runs in a mask (runs,), which have these particles."""
    sketches = ((totals.pixels, "px"), (totals.lengths, unit))
    return GroupStatistics(
        value=value,
        runs=int(members.sum()),
        particles=int(runs.particles[members].sum(dtype=np.int64)),
        visible=int(runs.visible[members].sum(dtype=np.int64)),
        max_detections=int(runs.visible[members].max(initial=0)),
        per_picture=describe_spread(runs.visible[members]),
        area_fraction=describe_spread(fractions[members]),
        seconds=describe_spread(runs.seconds[members]),
        total_seconds=float(runs.seconds[members].sum(dtype=np.float64)),
        sizes=tuple(_describe_sizes(sketch, name) for sketch, name in sketches if sketch.moments.count),
        visibility=_describe_visibility(totals),
        classes={name: totals.classes[name] for name in dict.fromkeys((*categories, *sorted(totals.classes)))},
        pictures=_describe_pictures(pictures, members),
    )


def describe_spread(values: NDArray[Any]) -> Spread | None:
    """Return the spread of values (N,); None without any."""
    if not len(values):
        return None
    values = values.astype(np.float64)
    return Spread(
        count=len(values),
        min=float(values.min()),
        max=float(values.max()),
        mean=float(values.mean()),
        histogram=count_values(values),
        median=float(np.median(values, overwrite_input=True)),
    )


def _describe_sizes(sketch: ValueSketch, unit: str) -> Sizes:
    fit = fit_law(sketch)
    by_count, by_area = (
        Quantiles(**{name: sketch.compute_quantile(share, weighted=weighted) for name, share in _SHARES.items()})
        for weighted in (False, True)
    )
    edges = np.linspace(0.0, sketch.high * (1 + 1e-9), _SIZE_BINS + 1)
    return Sizes(
        unit=unit,
        count=sketch.moments.count,
        mean=sketch.moments.mean,
        deviation=sketch.moments.deviation,
        min=sketch.low,
        max=sketch.high,
        number_weighted=by_count,
        area_weighted=by_area,
        law=fit.law,
        distance_normal=fit.normal,
        distance_log_normal=fit.log_normal,
        histogram=build_histogram(sketch.count_between(edges), edges),
    )


def _describe_visibility(totals: ParticleTotals) -> Visibility:
    return Visibility(
        hidden=totals.hidden,
        outside=totals.outside,
        whole=totals.whole,
        cut=totals.cut,
        mean=totals.shares.mean if totals.shares.count else None,
        histogram=build_histogram(totals.share_counts, np.array([0.0, 1.0])),
    )


def _describe_pictures(pictures: PictureTable | None, members: NDArray[np.bool_]) -> PictureValues | None:
    """Return the grey values of the runs in a mask; None if none of their pictures was read."""
    if pictures is None:
        return None
    chosen = members[pictures.place]
    mean, deviation, noise = (
        describe_spread(values[chosen]) for values in (pictures.mean, pictures.deviation, pictures.noise)
    )
    if mean is None or deviation is None or noise is None:
        return None
    return PictureValues(sampled=mean.count, grey_mean=mean, grey_deviation=deviation, noise=noise)


def _find_duplicates(runs: RunTable) -> Duplicates:
    """Return the runs with equal labels; examples in ascending order of their digests."""
    ordered = np.sort(runs.label_digest)
    is_copy = ordered[1:] == ordered[:-1]
    several = np.unique(ordered[1:][is_copy])
    examples = (runs.run[runs.label_digest == digest][:_EXAMPLES].tolist() for digest in several[:_EXAMPLES])
    return Duplicates(runs=int(is_copy.sum()), examples=tuple(map(tuple, examples)))
