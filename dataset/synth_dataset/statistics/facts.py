"""Statistics as people read them: names and texts for the terminal and for the page."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dataset.statistics.statistics_document import (
        Duplicates,
        GroupStatistics,
        PictureValues,
        Quantiles,
        Sizes,
        Spread,
        StatisticsDocument,
    )


def list_facts(statistics: StatisticsDocument) -> list[tuple[str, str]]:
    """Return what is true of all runs: names and texts, with an empty name for a second line."""
    group = statistics.all
    facts = [
        ("runs", f"{group.runs:,}"),
        ("particles", f"{group.particles:,}, {group.visible:,} visible"),
        ("per picture", f"{format_spread(group.per_picture)} visible" if group.runs else "no pictures"),
        ("maxDets", f"[1, 10, {group.max_detections}]: COCO's default of 100 ignores the others of a picture")
        if group.max_detections > 100
        else ("maxDets", "[1, 10, 100], COCO's default, is enough"),
    ]
    if group.runs:
        facts += [("area fraction", f"{format_spread(group.area_fraction, share=True)} of the pixels show particles")]
    for sizes in group.sizes:
        facts += _list_size_facts(sizes)
    facts += [*_list_visibility_facts(group), ("classes", _format_classes(group))]
    if group.pictures is not None:
        facts += _list_picture_facts(group.pictures, group.runs)
    facts += [("duplicates", _format_duplicates(statistics.duplicates))]
    if group.runs:
        facts += [("cost", f"{format_spread(group.seconds)} s a run, {group.total_seconds:,.0f} s in total")]
    return facts


def list_columns(statistics: StatisticsDocument) -> list[tuple[str, Callable[[GroupStatistics], str]]]:
    """Return the columns of the table of groups: header, and the text of a group."""
    unit = next((sizes.unit for sizes in reversed(statistics.all.sizes)), "px")
    columns: list[tuple[str, Callable[[GroupStatistics], str]]] = [
        ("runs", lambda group: f"{group.runs:,}"),
        ("per picture", lambda group: format_spread(group.per_picture)),
        ("maxDets", lambda group: str(group.max_detections)),
        ("area fraction", lambda group: format_spread(group.area_fraction, share=True)),
        ("D50, px", lambda group: _format_median(group, "px")),
        *([(f"D50, {unit}", lambda group: _format_median(group, unit))] if unit != "px" else []),
        ("law", lambda group: group.sizes[0].law if group.sizes else "–"),
        ("visible share", lambda group: _format_share(group.visibility.mean)),
    ]
    if statistics.all.pictures is not None:
        columns += [
            ("grey mean", lambda group: _format_mean(get_grey_mean(group))),
            ("noise", lambda group: _format_mean(get_noise(group))),
        ]
    return [*columns, ("s a run", lambda group: _format_mean(group.seconds))]


def get_grey_mean(group: GroupStatistics) -> Spread | None:
    """Return the means of the pictures that were read; None without any."""
    return None if group.pictures is None else group.pictures.grey_mean


def get_noise(group: GroupStatistics) -> Spread | None:
    """Return the noise of the pictures that were read; None without any."""
    return None if group.pictures is None else group.pictures.noise


def format_value(value: Any) -> str:
    """Return the value of an axis; a dash for runs without the axis."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_number(value: float) -> str:
    """Return a number with three digits, whole ones with all."""
    if not math.isfinite(value):
        return "–"
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def format_spread(spread: Spread | None, *, share: bool = False) -> str:
    """Return the least, the median and the greatest value; a dash without any. A share is in per cent."""
    if spread is None:
        return "–"
    values = [spread.min] if spread.min == spread.max else [spread.min, spread.median, spread.max]
    if share:
        return " / ".join(f"{100 * value:.3g} %" for value in values)
    return " / ".join(map(format_number, values))


MIN_MEDIAN_MAX: Final = "a / b / c are the smallest value, the median and the largest"


def _list_size_facts(sizes: Sizes) -> list[tuple[str, str]]:
    by_count, by_area = (_format_quantiles(each) for each in (sizes.number_weighted, sizes.area_weighted))
    mean, deviation = format_number(sizes.mean), format_number(sizes.deviation)
    return [
        (f"size, {sizes.unit}", f"D10 / D50 / D90 {by_count} number-weighted, {by_area} area-weighted"),
        ("", f"mean {mean}, deviation {deviation}, {_format_law(sizes)}"),
    ]


def _format_law(sizes: Sizes) -> str:
    if sizes.distance_normal is None or sizes.distance_log_normal is None:
        return f"law: {sizes.law}"
    distances = f"{sizes.distance_normal:.3f} to normal, {sizes.distance_log_normal:.3f} to log-normal"
    return f"law: {sizes.law} (Kolmogorov–Smirnov distance {distances})"


def _format_quantiles(quantiles: Quantiles) -> str:
    return " / ".join(map(format_number, (quantiles.d10, quantiles.d50, quantiles.d90)))


def _list_visibility_facts(group: GroupStatistics) -> list[tuple[str, str]]:
    seen = group.visibility
    rest = f"{seen.hidden:,} hidden behind others, {seen.outside:,} outside the picture"
    if seen.mean is None:
        return [("visibility", f"no particle is visible: {rest}")]
    partly = group.visible - seen.whole
    return [
        ("visibility", f"{seen.whole:,} not occluded, {partly:,} partly occluded, {rest}"),
        ("", f"the border cuts {seen.cut:,} of the visible ones; mean visible share {_format_share(seen.mean)}"),
    ]


def _format_classes(group: GroupStatistics) -> str:
    found = [f"{name} {count:,}" for name, count in group.classes.items() if count]
    absent = len(group.classes) - len(found)
    return ", ".join([*found, *([f"{absent} without a visible particle"] if absent else [])]) or "none"


def _list_picture_facts(values: PictureValues, runs: int) -> list[tuple[str, str]]:
    sample = "" if values.sampled == runs else f", in {values.sampled:,} of {runs:,} pictures, the first by run key"
    return [
        ("grey mean", f"{format_spread(values.grey_mean)} of 255{sample}"),
        ("grey deviation", format_spread(values.grey_deviation)),
        ("noise", f"{format_spread(values.noise)} grey levels"),
    ]


def _format_duplicates(duplicates: Duplicates) -> str:
    if not duplicates.runs:
        return "none: no two runs have the same labels"
    first, second, *more = duplicates.examples[0]
    others = f" and {len(more)} more" if more else ""
    verb = "run has" if duplicates.runs == 1 else "runs have"
    return f"{duplicates.runs:,} {verb} the labels of an earlier one, such as run {second} those of run {first}{others}"


def _format_median(group: GroupStatistics, unit: str) -> str:
    return next((format_number(sizes.number_weighted.d50) for sizes in group.sizes if sizes.unit == unit), "–")


def _format_share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.3g} %"


def _format_mean(spread: Spread | None) -> str:
    return "–" if spread is None else format_number(spread.mean)
