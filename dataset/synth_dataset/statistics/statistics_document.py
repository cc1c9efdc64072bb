"""Statistics of a dataset as a document: what `synth stats -o json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth_dataset.documents.document import Document
from synth_dataset.statistics.size_law import Law


class Histogram(Document):
    """Counts in bins of equal width between `low` and `high`."""

    low: float
    high: float
    counts: tuple[int, ...]


class Spread(Document):
    """One value of each of `count` pictures or runs."""

    count: int
    min: float
    median: float
    max: float
    mean: float
    histogram: Histogram


class Quantiles(Document):
    """Sizes below which 10, 50 and 90 % lie."""

    d10: float
    d50: float
    d90: float


class Sizes(Document):
    """Equivalent diameters of the particles that no border of their picture cuts."""

    unit: str
    """`px`; `nm` if the recipe says how many nanometres a scene unit has, else `scene units`."""
    count: int
    mean: float
    deviation: float
    min: float
    max: float
    number_weighted: Quantiles
    """Each particle counts once."""
    area_weighted: Quantiles
    """Each particle counts by the area of its silhouette."""
    law: Law
    distance_normal: float | None
    """Kolmogorov–Smirnov distance from the normal law of the same mean and deviation."""
    distance_log_normal: float | None
    histogram: Histogram


class Visibility(Document):
    """Visible share of the silhouettes; counts of particles."""

    hidden: int
    """Behind others: no visible pixel."""
    outside: int
    """No pixel in the picture."""
    whole: int
    """Every pixel is visible."""
    cut: int
    """Visible, and cut by the border of the picture."""
    mean: float | None
    """Mean visible share of the visible particles."""
    histogram: Histogram
    """Visible shares of the visible particles."""


class PictureValues(Document):
    """Grey values (0 to 255) of a sample of real images."""

    sampled: int
    grey_mean: Spread
    grey_deviation: Spread
    noise: Spread
    """Standard deviation of the noise: Immerkær's operator with the median of its response."""


class Duplicates(Document):
    """Runs with the labels of another run, by label digest."""

    runs: int
    """Runs that an earlier run has the labels of."""
    examples: tuple[tuple[int, ...], ...]
    """Numbers of the first runs that have equal labels, of some such labels."""


class GroupStatistics(Document):
    """Statistics of all runs, or of those with one value of an axis."""

    value: Any = None
    """Value of the axis; null for all runs, and for runs without the axis."""
    runs: int
    particles: int
    visible: int
    max_detections: int
    """Largest number of visible particles in a picture: the last of COCO's `maxDets`."""
    per_picture: Spread | None
    """Visible particles; this and the next ones are null without runs."""
    area_fraction: Spread | None
    """Share of the pixels of a picture that show particles: the coverage."""
    seconds: Spread | None
    """Seconds of a run in all its stages."""
    total_seconds: float
    sizes: tuple[Sizes, ...]
    """In px, then in nm or scene units; none without a particle that can be measured."""
    visibility: Visibility
    classes: Mapping[str, int]
    """Visible particles by category."""
    pictures: PictureValues | None
    """Null if no picture was read."""


class StatisticsDocument(Document):
    """Statistics of a dataset."""

    name: str
    all: GroupStatistics
    by: str | None
    """Path of the axis of `groups`."""
    groups: tuple[GroupStatistics, ...]
    duplicates: Duplicates
