"""`coco.json`: the masks of a sweep's runs in COCO's object detection format, written run by run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from synth_dataset.documents.attempt_document import Category


@dataclass(frozen=True)
class CocoRun:
    """One image of the document: a run's picture and the masks of what it shows."""

    number: int
    """Run number; the image's id."""
    file_name: str
    """The picture, relative to the store's root."""
    width: int
    height: int
    annotations: Callable[[], bytes]
    """Reads the run's `annotations.json`."""


def coco_chunks(
    runs: Sequence[CocoRun], info: Mapping[str, Any], categories: Sequence[Category], threads: int = 1
) -> Iterator[bytes]:
    """The document as ASCII JSON, piece by piece: memory holds the masks of a few runs at a time, one for one thread.

    Annotation ids count from 1; `categories` has every blueprint that the runs may show. Beside COCO's own keys an
    annotation has `particle_id`, `visible_fraction`, `amodal_area`, `amodal_segmentation` and `occluded_by` (particle
    ids). Raises OSError when a run's annotations cannot be read.
    """
    yield b'{"info":' + _json(info) + b',"licenses":[]'
    yield b',"categories":' + _json([_category(category) for category in categories])
    yield from _array("images", (_image(run) for run in runs))
    yield from _array("annotations", _annotations(runs, {entry.name: entry.id for entry in categories}, threads))
    yield b"}\n"


def _category(category: Category) -> dict[str, Any]:
    return {"id": category.id, "name": category.name, "supercategory": "particle"}


def _image(run: CocoRun) -> dict[str, Any]:
    return {"id": run.number, "file_name": run.file_name, "width": run.width, "height": run.height}


def _annotations(runs: Sequence[CocoRun], categories: dict[str, int], threads: int) -> Iterator[dict[str, Any]]:
    ids = count(1)
    for run, notes in zip(runs, read_ahead(_particles, runs, threads), strict=True):
        for note in notes:
            yield {
                "id": next(ids),
                "image_id": run.number,
                "category_id": categories[note["category"]],
                "segmentation": note["visible"],
                "area": note["area"],
                "bbox": note["bbox"],
                "iscrowd": 0,
                "particle_id": note["id"],
                "visible_fraction": note["visible_fraction"],
                "amodal_area": note["amodal_area"],
                "amodal_segmentation": note["amodal"],
                "occluded_by": note["occluded_by"],
            }


def _particles(run: CocoRun) -> list[dict[str, Any]]:
    particles: list[dict[str, Any]] = json.loads(run.annotations())["particles"]
    return particles


def _array(name: str, items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    for position, item in enumerate(items):
        yield (b",\n" if position else b"\n") + _json(item)
    yield b"\n]"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
