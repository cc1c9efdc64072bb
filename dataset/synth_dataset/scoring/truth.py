"""What predictions are compared with: the images of a dataset or of an export, with their particles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.statistics.value_sketch import ValueSketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.documents.rle import Rle

_SIZE_BINS: Final = 4
MAX_AREA: Final = 1e10
"""No particle is larger, px; COCO has the same."""


@dataclass(frozen=True)
class TrueParticle:
    """Particle of an image. An ignored one is a crowd of COCO: what is predicted there counts neither way."""

    category: int
    """Place in the classes of the truth."""
    mask: Rle
    box: tuple[float, float, float, float]
    """Left, top, width, height, px."""
    area: float
    """Of the mask, px."""
    is_ignored: bool


@dataclass(frozen=True)
class TrueImage:
    """Image with its particles."""

    id: int
    width: int
    height: int
    pixel_size: float | None
    """Scene units."""
    value: Any
    """Value of the axis that the score is given by."""
    particles: tuple[TrueParticle, ...]


class Truth(ABC):
    """Images with particles, in ascending order of their ids."""

    name: str
    classes: tuple[str, ...]
    """Names of the classes."""
    has_one_class: bool
    """True if classes do not count."""
    category_places: Mapping[int, int]
    """Place of the class of each category id."""
    by: str | None
    """Path of the axis of `TrueImage.value`."""
    scale: float | None
    """Nanometres of a scene unit; None if it is unknown."""

    @property
    @abstractmethod
    def image_ids(self) -> NDArray[np.int64]:
        """Ids of all images, ascending, (images,)."""

    @property
    @abstractmethod
    def max_particles(self) -> int:
        """Largest number of particles of an image."""

    @abstractmethod
    def iterate_images(self) -> Iterator[TrueImage]:
        """Yield the images with their particles; memory holds a few of them."""

    @abstractmethod
    def iterate_areas(self) -> Iterator[NDArray[np.float64]]:
        """Yield the areas of all particles in parts, px."""

    def compute_size_edges(self) -> tuple[float, ...]:
        """Return edges of bins of area, px, each with about a quarter of the particles; no area is an edge."""
        sketch = ValueSketch()
        for areas in self.iterate_areas():
            sketch.add(areas, np.ones(len(areas)))
        if not sketch.moments.count:
            return (0.0, MAX_AREA)
        inner = {np.floor(sketch.compute_quantile(place / _SIZE_BINS)) + 0.5 for place in range(1, _SIZE_BINS)}
        return (0.0, *sorted(edge for edge in inner if sketch.low < edge < sketch.high), MAX_AREA)
