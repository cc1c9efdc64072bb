"""The law of a distribution of sizes, by named criteria.

Monodisperse: at least 90 % of the particles lie within 5 % of the median (NIST SP 960-1, 2001). Normal or log-normal:
the one of smaller Kolmogorov–Smirnov distance, with mean and deviation of the values or of their logarithms, if that
distance is at most MAX_DISTANCE. A test of significance would reject every law: a dataset has too many particles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from synth_dataset.statistics.value_sketch import compute_normal_share

if TYPE_CHECKING:
    from synth_dataset.statistics.value_sketch import ValueSketch

Law = Literal["monodisperse", "normal", "log-normal", "none"]
MAX_DISTANCE: Final = 0.05
MIN_PARTICLES: Final = 20
"""Fewer particles have no law."""
_MONODISPERSE: Final = 0.05


class LawFit(NamedTuple):
    """The law and both distances, None where they have no meaning."""

    law: Law
    normal: float | None
    log_normal: float | None


def fit_law(sketch: ValueSketch) -> LawFit:
    """Return the law of the values of a sketch."""
    if sketch.moments.count < MIN_PARTICLES:
        return LawFit("none", None, None)
    low, median, high = (sketch.compute_quantile(share) for share in (0.05, 0.5, 0.95))
    is_monodisperse = low >= (1 - _MONODISPERSE) * median and high <= (1 + _MONODISPERSE) * median
    if not (sketch.moments.deviation > 0 and sketch.logs.deviation > 0):
        return LawFit("monodisperse", None, None)
    values, logs = sketch.moments, sketch.logs
    normal = sketch.compute_distance(lambda size: compute_normal_share(size, values.mean, values.deviation))
    log_normal = sketch.compute_distance(lambda size: compute_normal_share(math.log(size), logs.mean, logs.deviation))
    law: Law = "normal" if normal <= log_normal else "log-normal"
    if is_monodisperse:
        law = "monodisperse"
    elif min(normal, log_normal) > MAX_DISTANCE:
        law = "none"
    return LawFit(law, normal, log_normal)
