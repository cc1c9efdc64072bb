"""`coco.json`: the masks of runs in the object detection format of COCO, written run by run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from synth_dataset.documents.agglomerates import join_agglomerates
from synth_dataset.documents.annotations import parse_annotations
from synth_dataset.documents.attempt_document import find_agglomerates
from synth_dataset.documents.keypoints import describe_keypoints, list_keypoints
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.progress import ignore_progress, report_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from synth_dataset.documents.agglomerates import AgglomerateMasks
    from synth_dataset.documents.attempt_document import Category
    from synth_dataset.views.progress import Report


_OPTIONAL_KEYS: Final = {"overlaps": "overlaps", "agglomerate": "agglomerate_id"}
"""Key in `annotations.json` that not every particle has -> key of the annotation."""


@dataclass(frozen=True)
class CocoRun:
    """Image of the document: a picture of a run with its masks."""

    number: int
    """Run number, which is the id of the image."""
    file_name: str
    """Path of the picture, relative to the root of the store."""
    width: int
    height: int
    annotations: Callable[[], bytes]
    """Function that reads `annotations.json` of the run."""


def iterate_coco(
    runs: Sequence[CocoRun],
    info: Mapping[str, Any],
    categories: Sequence[Category],
    threads: int = 1,
    report: Report = ignore_progress,
) -> Iterator[bytes]:
    """Yield the document as ASCII JSON in parts; memory holds the masks of few runs, of one run with one thread.

    Annotation ids count from 1; `categories` have every blueprint of the runs. Besides the keys of COCO an annotation
    has `particle_id`, `visible_fraction`, `amodal_area`, `amodal_segmentation`, `occluded_by` (particle ids),
    where particles shine through `overlaps` (particle ids) and, if it is in one, `agglomerate_id`. Annotations of
    agglomerates follow the particles of their run, if there is a category for them. Raises OSError if the annotations
    of a run cannot be read, DocumentError if they are no JSON.
    """
    yield b'{"info":' + _dump_json(info) + b',"licenses":[]'
    yield b',"categories":' + _dump_json([build_category(category) for category in categories])
    yield from _iterate_array("images", (_build_image(run) for run in runs))
    category_of = {name: entry for entry in categories for name in entry.members}
    particles = report_each(read_ahead(_read_particles, runs, threads), report)
    notes = _iterate_annotations(runs, category_of, find_agglomerates(categories), particles)
    yield from _iterate_array("annotations", ({"id": number, **note} for number, note in enumerate(notes, start=1)))
    yield b"}\n"


def build_category(category: Category) -> dict[str, Any]:
    """Return what the document says of a category: beside COCO's keys whether it is the one of agglomerates."""
    described = {"id": category.id, "name": category.name, "supercategory": category.supercategory}
    agglomerates = {"agglomerates": True} if category.agglomerates else {}
    return described | agglomerates | describe_keypoints(category)


def _build_image(run: CocoRun) -> dict[str, Any]:
    return {"id": run.number, "file_name": run.file_name, "width": run.width, "height": run.height}


def _iterate_annotations(
    runs: Sequence[CocoRun],
    categories: Mapping[str, Category],
    of_agglomerates: Category | None,
    particles: Iterable[list[dict[str, Any]]],
) -> Iterator[dict[str, Any]]:
    for run, its_particles in zip(runs, particles, strict=True):
        for particle in its_particles:
            category = categories[particle["category"]]
            yield {
                "image_id": run.number,
                "category_id": category.id,
                "segmentation": particle["visible"],
                "area": particle["area"],
                "bbox": particle["bbox"],
                "iscrowd": 0,
                "particle_id": particle["id"],
                "visible_fraction": particle["visible_fraction"],
                "amodal_area": particle["amodal_area"],
                "amodal_segmentation": particle["amodal"],
                "occluded_by": particle["occluded_by"],
                **{key: particle[name] for name, key in _OPTIONAL_KEYS.items() if name in particle},
                **list_keypoints(category, particle.get("centre_line")),
            }
        if of_agglomerates is not None:
            for agglomerate in join_agglomerates(its_particles):
                yield {"image_id": run.number, "category_id": of_agglomerates.id, **_describe_agglomerate(agglomerate)}


def _describe_agglomerate(agglomerate: AgglomerateMasks) -> dict[str, Any]:
    return {
        "segmentation": agglomerate.visible,
        "area": agglomerate.area,
        "bbox": list(agglomerate.box),
        "iscrowd": 0,
        "agglomerate_id": agglomerate.number,
        "particle_ids": list(agglomerate.particles),
        "visible_fraction": agglomerate.visible_fraction,
        "amodal_area": agglomerate.amodal_area,
        "amodal_segmentation": agglomerate.amodal,
    }


def _read_particles(run: CocoRun) -> list[dict[str, Any]]:
    document = parse_annotations(run.annotations(), f"annotations of run {run.number}")
    particles: list[dict[str, Any]] = document["particles"]
    return particles


def _iterate_array(name: str, items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    for position, item in enumerate(items):
        yield (b",\n" if position else b"\n") + _dump_json(item)
    yield b"\n]"


def _dump_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
