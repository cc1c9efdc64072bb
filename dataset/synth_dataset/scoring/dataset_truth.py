"""Truth of a committed dataset: the masks of its runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from synth_api.splits import Splits, find_column
from synth_dataset.documents import layout
from synth_dataset.exports.classes import build_class_map
from synth_dataset.exports.export import explain_missing_files
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.sample import SampleReader
from synth_dataset.exports.selection import select_runs
from synth_dataset.scoring.truth import TrueImage, TrueParticle, Truth
from synth_dataset.statistics.run_table import find_scale
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.sample import Sample


@dataclass(frozen=True)
class TruthOptions:
    """Which images and particles are the truth."""

    where: str | None = None
    """Filter of runs."""
    by: str | None = None
    """Axis, or the end of its path."""
    one_class: bool = False
    min_visible: float = 0.0
    """Particles of a smaller visible share are ignored."""
    min_area: int = 0
    """Particles of a smaller mask are ignored, px."""


class DatasetTruth(Truth):
    """Runs of a dataset as images; the id of an image is its run number."""

    def __init__(self, source: DatasetSource, options: TruthOptions) -> None:
        """Select the runs. Raises InputError for a filter or an axis that does not fit, DocumentError, StoreError."""
        exported = ExportOptions(
            format="coco",
            classes="one" if options.one_class else "category",
            min_visible=options.min_visible,
            min_area=options.min_area,
            below="ignore",
        )
        self._source = source
        self._options = options
        self._selection = select_runs([source], Splits(), [options.where or ""])
        classes = replace(build_class_map([source], exported), agglomerates=None)
        self._reader = SampleReader((source,), classes, exported)
        self.name = source.dataset.name
        self.classes = tuple(category.name for category in classes.categories)
        self.has_one_class = options.one_class
        self.category_places = {category.id: place for place, category in enumerate(classes.categories)}
        self.by = find_column(options.by, source.list_columns(), "--by") if options.by else None
        self.scale = (source.recipe and find_scale(source.recipe)) or None
        self._values = self._read_values()

    def _read_values(self) -> dict[int, Any]:
        """Return the value of the axis by run number; none without an axis."""
        if self.by is None:
            return {}
        return {row["run"]: row[self.by] for row in self._source.iterate_rows(["run", self.by])}

    @property
    @override
    def image_ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._selection.table["number"]
        return ids

    @property
    @override
    def max_particles(self) -> int:
        return int(self._selection.table["visible"].max(initial=0))

    @override
    def iterate_images(self) -> Iterator[TrueImage]:
        """Yield the images, read ahead. Raises DocumentError for a missing file, StoreError."""
        runs = self._selection.iterate(np.arange(len(self._selection)))
        with explain_missing_files():
            yield from map(self._build_image, read_ahead(self._reader.read, runs, self._source.store.max_requests))

    @override
    def iterate_areas(self) -> Iterator[NDArray[np.float64]]:
        columns = ["run", "visible_px", "visible_fraction"]
        for batch in self._source.open_table(layout.PARTICLES).iter_batches(columns=columns):
            run, area, share = (batch.column(name).to_numpy(zero_copy_only=False) for name in columns)
            is_counted = (area >= max(self._options.min_area, 1)) & (share >= self._options.min_visible)
            yield area[is_counted & np.isin(run, self.image_ids)].astype(np.float64)

    def _build_image(self, sample: Sample) -> TrueImage:
        return TrueImage(
            id=sample.run.number,
            width=sample.manifest.width,
            height=sample.manifest.height,
            pixel_size=sample.manifest.pixel_size,
            value=self._values.get(sample.run.number),
            particles=tuple(
                TrueParticle(self.category_places[one.category.id], one.mask, one.box, float(one.area), one.ignored)
                for one in sample.objects
            ),
        )
