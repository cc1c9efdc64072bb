"""Truth of an export for COCO: one document `instances_<split>.json`."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from typing_extensions import override

from synth_api.errors import InputError
from synth_api.splits import find_column
from synth_dataset.documents import layout
from synth_dataset.exports.classes import ONE_CLASS
from synth_dataset.scoring.coco_segmentation import leave_out_agglomerates, to_rle
from synth_dataset.scoring.truth import TrueImage, TrueParticle, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.scoring.dataset_truth import TruthOptions


class CocoTruth(Truth):
    """Images of a document in COCO's object detection format; memory holds the document."""

    def __init__(self, path: Path, options: TruthOptions) -> None:
        """Read the document. Raises InputError for a file that is none, and for an axis that it does not have."""
        document = _read_document(path)
        if options.where is not None:
            raise InputError("--where", "an export has no filter; export the runs alone, or give the dataset itself")
        notes, categories = leave_out_agglomerates(document["annotations"], document["categories"])
        categories = sorted(categories, key=lambda category: category["id"])
        self.name = path.stem
        self.classes = (ONE_CLASS,) if options.one_class else tuple(category["name"] for category in categories)
        self.category_places = {
            category["id"]: 0 if options.one_class else place for place, category in enumerate(categories)
        }
        self.has_one_class = options.one_class
        self.scale = None
        self._options = options
        self._images: list[dict[str, Any]] = sorted(document["images"], key=lambda image: image["id"])
        self._notes: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for note in notes:
            self._notes[note["image_id"]].append(note)
        self.by, self._find_value = _find_axis(path, self._images, options.by)

    @property
    @override
    def image_ids(self) -> NDArray[np.int64]:
        return np.array([image["id"] for image in self._images], np.int64)

    @property
    @override
    def max_particles(self) -> int:
        return max(map(len, self._notes.values()), default=0)

    @override
    def iterate_images(self) -> Iterator[TrueImage]:
        for image in self._images:
            size = image["width"], image["height"]
            yield TrueImage(
                id=image["id"],
                width=size[0],
                height=size[1],
                pixel_size=image.get("pixel_size"),
                value=self._find_value(image),
                particles=tuple(self._build_particle(note, *size) for note in self._notes[image["id"]]),
            )

    @override
    def iterate_areas(self) -> Iterator[NDArray[np.float64]]:
        for notes in self._notes.values():
            yield np.array([note["area"] for note in notes if not self._is_ignored(note)], np.float64)

    def _build_particle(self, note: Mapping[str, Any], width: int, height: int) -> TrueParticle:
        try:
            left, top, *size = map(float, note["bbox"])
            return TrueParticle(
                category=self.category_places[note["category_id"]],
                mask=to_rle(note["segmentation"], width, height),
                box=(left, top, size[0], size[1]),
                area=float(note["area"]),
                is_ignored=self._is_ignored(note),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            problem = f"annotation {note.get('id')} is none of COCO's object detection format ({error})"
            raise InputError(self.name, problem) from error

    def _is_ignored(self, note: Mapping[str, Any]) -> bool:
        return (
            bool(note.get("iscrowd"))
            or note["area"] < self._options.min_area
            or note.get("visible_fraction", 1.0) < self._options.min_visible
        )


def find_documents(folder: Path) -> dict[str, Path]:
    """Return the documents of an export for COCO by split; none of another folder."""
    return {path.stem.removeprefix("instances_"): path for path in sorted(folder.glob("annotations/instances_*.json"))}


def _read_document(path: Path) -> dict[str, Any]:
    problem = "is no document in COCO's object detection format; give instances_<split>.json of an export"
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), problem) from error
    parts = ("images", "annotations", "categories")
    if not isinstance(document, dict) or not all(isinstance(document.get(name), list) for name in parts):
        raise InputError(str(path), problem)
    return document


def _find_axis(
    path: Path, images: list[dict[str, Any]], by: str | None
) -> tuple[str | None, Callable[[Mapping[str, Any]], Any]]:
    """Return the path of an axis and the function that finds its value for an image. Raises InputError."""
    if by is None:
        return None, lambda _: None
    own = {"seed", "pixel_size", "width", "height"} & set(images[0] if images else ())
    index = path.parent.parent / layout.INDEX
    table = pq.ParquetFile(index) if index.is_file() else None
    axis = find_column(
        by, [*own, *(name for name in (table.schema_arrow.names if table else ()) if name not in own)], "--by"
    )
    if axis in own or table is None:
        return axis, lambda image: image[axis]
    values = dict(zip(*(column.to_pylist() for column in table.read(["run", axis]).columns), strict=True))
    return axis, lambda image: values.get(image["run"])
