"""`statistics.html`: the statistics of a dataset with plots, a page that opens from disk and fetches nothing."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import jinja2
import pyarrow.parquet as pq

from synth_dataset.documents import layout
from synth_dataset.statistics.bars import draw_bars
from synth_dataset.statistics.compute_statistics import compute_statistics
from synth_dataset.statistics.facts import (
    MIN_MEDIAN_MAX,
    format_number,
    format_value,
    get_grey_mean,
    get_noise,
    list_columns,
    list_facts,
)
from synth_dataset.statistics.picture_values import choose_runs, measure_pictures, read_picture
from synth_dataset.statistics.run_table import read_keys, read_runs
from synth_dataset.views.gallery_page import GALLERY
from synth_dataset.views.progress import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.statistics.statistics_document import GroupStatistics, Histogram, Spread, StatisticsDocument
    from synth_dataset.views.dataset_run import ViewedRun
    from synth_dataset.views.progress import Progress

STATISTICS_PAGE: Final = "statistics.html"
SAMPLED_PICTURES: Final = 32
"""Pictures that a commit reads, however many runs there are; one of 960 x 960 px takes 0.06 s of a processor."""
_THREADS: Final = 2
"""Pictures in memory at once."""
_SIZE: Final = (420, 120)
"""Width and height of a plot, px."""
_MAX_PLOTTED_GROUPS: Final = 60


def render_statistics(statistics: StatisticsDocument, gallery: str | None = None) -> str:
    """Render the page as HTML; `gallery` is the address of the gallery page, relative to this one."""
    columns = list_columns(statistics)
    rows = [(format_value(group.value), [describe(group) for _, describe in columns]) for group in statistics.groups]
    return _load_template().render(
        title=statistics.name,
        gallery=gallery,
        facts=list_facts(statistics),
        note=MIN_MEDIAN_MAX,
        histograms=list(_iterate_histograms(statistics.all)),
        classes=_build_classes(statistics.all),
        by=statistics.by,
        headers=[header for header, _ in columns],
        rows=rows,
        ranges=list(_iterate_ranges(statistics.groups)),
        width=_SIZE[0],
        height=_SIZE[1],
    )


def write_statistics(
    folder: Path,
    viewed: Sequence[ViewedRun],
    attempt: AttemptDocument,
    dataset: DatasetDocument,
    _progress: Progress = ignore_progress,
) -> None:
    """Write the page beside the gallery, from the tables in a folder and the pictures of some runs."""
    with (folder / layout.INDEX).open("rb") as stream:
        index = pq.ParquetFile(stream)
        runs = read_runs(index, attempt.sole_recipe)
        places = choose_runs(index, runs, SAMPLED_PICTURES)
        keys = read_keys(index, places)
    pictures = None
    if viewed:
        read = partial(read_picture, viewed[0].store)
        pictures = measure_pictures(read, keys, places, _THREADS, is_strict=False)
    with (folder / layout.PARTICLES).open("rb") as stream:
        open_particles = partial(pq.ParquetFile, stream)
        statistics = compute_statistics(dataset.name, runs, open_particles, dataset.categories, pictures)
    (folder / STATISTICS_PAGE).write_text(render_statistics(statistics, GALLERY), encoding="utf-8")


def _iterate_histograms(group: GroupStatistics) -> Iterator[dict[str, Any]]:
    """Yield the histograms for the template: title, path, both ends of the axis, place of the median or None."""
    for sizes in group.sizes:
        yield _build_histogram(f"equivalent diameter, {sizes.unit}", sizes.histogram, sizes.number_weighted.d50)
    spreads = [
        ("visible particles per picture", group.per_picture),
        ("area fraction of a picture", group.area_fraction),
    ]
    if group.pictures is not None:
        values = group.pictures
        spreads += [
            ("grey mean of a picture", values.grey_mean),
            ("grey deviation of a picture", values.grey_deviation),
            ("noise of a picture, grey levels", values.noise),
        ]
    spreads.append(("seconds of a run", group.seconds))
    for title, spread in spreads:
        if spread is not None:
            yield _build_histogram(title, spread.histogram, spread.median)
    if group.visibility.mean is not None:
        yield _build_histogram("visible share of a visible particle", group.visibility.histogram, None)


def _build_histogram(title: str, histogram: Histogram, median: float | None) -> dict[str, Any]:
    width = histogram.high - histogram.low
    place = None if median is None or width <= 0 else round(_SIZE[0] * (median - histogram.low) / width, 1)
    return {
        "title": title,
        "d": draw_bars(histogram, *_SIZE),
        "low": format_number(histogram.low),
        "high": format_number(histogram.high),
        "median": None if median is None else format_number(median),
        "place": place,
    }


def _build_classes(group: GroupStatistics) -> list[dict[str, Any]]:
    top = max(group.classes.values(), default=0) or 1
    return [
        {"name": name, "count": f"{count:,}", "share": round(100 * count / top, 1)}
        for name, count in group.classes.items()
    ]


_RANGES: Final[tuple[tuple[str, Callable[[GroupStatistics], Spread | None]], ...]] = (
    ("visible particles per picture", lambda group: group.per_picture),
    ("area fraction of a picture", lambda group: group.area_fraction),
    ("grey mean of a picture", get_grey_mean),
    ("noise of a picture, grey levels", get_noise),
    ("seconds of a run", lambda group: group.seconds),
)


def _iterate_ranges(groups: Sequence[GroupStatistics]) -> Iterator[dict[str, Any]]:
    """Yield plots over the values of an axis: a line from the smallest to the largest value, a dot at the median."""
    if not 1 < len(groups) <= _MAX_PLOTTED_GROUPS:
        return
    for title, find in _RANGES:
        spreads = [find(group) for group in groups]
        known = [spread for spread in spreads if spread is not None]
        if known:
            low, high = min(spread.min for spread in known), max(spread.max for spread in known)
            marks = [_place_mark(spread, place, len(groups), low, high) for place, spread in enumerate(spreads)]
            yield {
                "title": title,
                "low": format_number(low),
                "high": format_number(high),
                "marks": [mark for mark in marks if mark],
                "labels": (labels := _choose_labels(groups)),
                "is_each": len(labels) == len(groups),
            }


def _place_mark(spread: Spread | None, place: int, groups: int, low: float, high: float) -> dict[str, float] | None:
    """Return column, and rows of the smallest value, the median and the largest one, px."""
    if spread is None:
        return None
    scale = (_SIZE[1] - 12) / ((high - low) or 1.0)
    names = {"bottom": spread.min, "middle": spread.median, "top": spread.max}
    rows = {name: round(_SIZE[1] - 6 - scale * (value - low), 1) for name, value in names.items()}
    return {"x": round(_SIZE[0] * (place + 0.5) / groups, 1), **rows}


def _choose_labels(groups: Sequence[GroupStatistics]) -> list[str]:
    """Return the values of all groups, or of the first and the last of many."""
    texts = [format_value(group.value) for group in groups]
    return texts if sum(map(len, texts)) + 2 * len(texts) < 60 else [texts[0], texts[-1]]


@cache
def _load_template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synth_dataset", "statistics/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("statistics.html")
