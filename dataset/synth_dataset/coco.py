"""`coco.json`: the masks of a sweep's runs in COCO's object detection format, written run by run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from synth_dataset.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(frozen=True)
class CocoRun:
    """One image of the document: a run's picture and the masks of what it shows."""

    number: int
    """Run number; the image's id."""
    file_name: str
    """The picture, relative to the document."""
    width: int
    height: int
    annotations: Callable[[], bytes]
    """Reads the run's `annotations.json`."""


def coco_chunks(runs: Sequence[CocoRun], description: str, threads: int = 1) -> Iterator[bytes]:
    """The document as UTF-8 JSON, piece by piece: memory holds the masks of a few runs at a time, one for one thread.

    Annotation ids count from 1; categories are the particle blueprints in order of their names. Beside COCO's own keys
    an annotation has `particle_id`, `visible_fraction`, `amodal_area`, `amodal_segmentation` and `occluded_by`
    (particle ids). Raises OSError when a run's annotations cannot be read.
    """
    categories = _categories(runs, threads)
    yield b'{"info":' + _json({"description": description}) + b',"licenses":[]'
    yield b',"categories":' + _json([{"id": number, "name": name} for name, number in categories.items()])
    yield from _array("images", (_image(run) for run in runs))
    yield from _array("annotations", _annotations(runs, categories, threads))
    yield b"}\n"


def _categories(runs: Sequence[CocoRun], threads: int) -> dict[str, int]:
    names = {note["category"] for notes in read_ahead(_particles, runs, threads) for note in notes}
    return {name: number for number, name in enumerate(sorted(names), start=1)}


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
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
