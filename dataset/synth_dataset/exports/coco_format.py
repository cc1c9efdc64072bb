"""Format `coco`: pictures by split, and one document of object detection for each split."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Final

from synth_dataset.documents.keypoints import list_keypoints
from synth_dataset.exports.card import UNKNOWN
from synth_dataset.exports.export_format import ExportFormat
from synth_dataset.exports.object_outlines import trace_mask, trace_objects
from synth_dataset.exports.picture_files import PictureFiles
from synth_dataset.views.coco import build_category

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.export_format import FinishedChunks
    from synth_dataset.exports.outlines import Loop
    from synth_dataset.exports.sample import Sample, SampleAgglomerate, SampleObject

_IDS_PER_RUN: Final = 1 << 20
"""Annotation ids of a run follow its number times this, so that they are the same however the runs are cut."""


class CocoFormat(ExportFormat):
    """Pictures in `images/<split>`, and one document of each split in `annotations`."""

    name: ClassVar[str] = "coco"

    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write the pictures; keep images and annotations as fragments."""
        for sample in samples:
            split = sample.run.split
            chunk.place(f"images/{split}/{sample.name}.png", sample, sample.picture)
            for mode, file in sample.extras.items():
                chunk.place(f"{mode}/{split}/{sample.name}.png", sample, file)
            chunk.append(f"{split}.images", _dump_items([_build_image(sample)]))
            chunk.append(f"{split}.annotations", _dump_items(self._build_annotations(sample)))
            chunk.count(sample)

    def write_documents(self, finished: FinishedChunks) -> Iterator[File]:
        """Write the document of each split, a split without pictures too."""
        for split in self.context.selection.splits:
            yield finished.target.write(f"annotations/instances_{split}.json", self._iterate_document(finished, split))

    def format_loading(self, location: str) -> str:
        """Return the line for pycocotools."""
        split = self.context.main_split
        path = f"{location}/annotations/instances_{split}.json"
        return f"from pycocotools.coco import COCO; dataset = COCO({path!r})"

    def list_pictures(self) -> tuple[PictureFiles, ...]:
        """Return the pictures of all splits."""
        return (PictureFiles("pictures", "images/*/*.png", "image/png", r"^images/([a-z0-9_]+)/"),)

    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern."""
        return {
            "images/<split>/<run>.png": "pictures, named by run number",
            "annotations/instances_<split>.json": "masks, boxes and categories in COCO's object detection format",
        }

    def _iterate_document(self, finished: FinishedChunks, split: str) -> Iterator[bytes]:
        context = self.context
        categories = [build_category(one) for one in context.classes.all_categories]
        yield b'{"info":' + _dump_json(self._build_info(split))
        yield b',"licenses":' + _dump_json([_build_licence(context.card.licence)])
        yield b',"categories":' + _dump_json(categories)
        for name in ("images", "annotations"):
            yield f',"{name}":['.encode()
            yield from _join_items(finished.join(f"{split}.{name}"))
            yield b"\n]"
        yield b"}\n"

    def _build_info(self, split: str) -> dict[str, Any]:
        sources = self.context.sources
        return {
            "description": self.context.name,
            "version": "+".join(source.attempt.attempt[:8] for source in sources),
            "date_created": max(source.attempt.created for source in sources).isoformat(timespec="seconds"),
            "split": split,
            "plan": "+".join(source.attempt.plan for source in sources),
        }

    def _build_annotations(self, sample: Sample) -> list[dict[str, Any]]:
        ids = count(sample.run.number * _IDS_PER_RUN + 1)
        is_polygon = self.context.options.masks == "polygon"
        polygons = trace_objects(sample, amodal=self.context.options.amodal) if is_polygon else {}
        return [
            *(_build_annotation(sample, one, next(ids), polygons) for one in sample.objects),
            *(_build_agglomerate(sample, one, next(ids), is_polygon=is_polygon) for one in sample.agglomerates),
        ]


def _build_image(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.run.number,
        "file_name": f"{sample.name}.png",
        "width": sample.manifest.width,
        "height": sample.manifest.height,
        "license": 1,
        "run": sample.run.number,
        "key": sample.run.key,
        "seed": sample.manifest.seed,
        "pixel_size": sample.manifest.pixel_size,
    }


def _build_licence(licence: str) -> dict[str, Any]:
    if not licence:
        return {"id": 1, "name": UNKNOWN, "url": ""}
    return {"id": 1, "name": licence, "url": f"https://spdx.org/licenses/{licence}.html"}


def _build_annotation(
    sample: Sample, one: SampleObject, number: int, polygons: Mapping[int, list[Loop]]
) -> dict[str, Any]:
    """Return an annotation; particles to ignore are crowds, which have run lengths."""
    flat = _flatten(polygons[one.id]) if one.id in polygons and not one.ignored else None
    return {
        "id": number,
        "image_id": sample.run.number,
        "category_id": one.category.id,
        "segmentation": flat or one.mask,
        "area": one.area,
        "bbox": list(one.box),
        "iscrowd": int(one.ignored),
        "particle_id": one.id,
        "visible_fraction": one.visible_fraction,
        "amodal_area": one.amodal_area,
        "occluded_by": list(one.occluded_by),
        **({} if one.overlaps is None else {"overlaps": list(one.overlaps)}),
        **list_keypoints(one.category, one.centre_line),
        **({} if one.agglomerate is None else {"agglomerate_id": one.agglomerate}),
    }


def _build_agglomerate(sample: Sample, one: SampleAgglomerate, number: int, *, is_polygon: bool) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": sample.run.number,
        "category_id": one.category.id,
        "segmentation": _flatten(trace_mask(one.mask, one.box)) if is_polygon else one.mask,
        "area": one.area,
        "bbox": list(one.box),
        "iscrowd": 0,
        "agglomerate_id": one.joined.number,
        "particle_ids": list(one.joined.particles),
        "visible_fraction": one.joined.visible_fraction,
        "amodal_area": one.joined.amodal_area,
    }


def _flatten(loops: Iterable[Loop]) -> list[list[float]]:
    return [[part for corner in loop for part in corner] for loop in loops]


def _dump_items(items: list[dict[str, Any]]) -> bytes:
    return b"".join(b",\n" + _dump_json(item) for item in items)


def _join_items(fragments: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the items of all fragments; the first one has no comma before it."""
    first = next(fragments, b"")
    yield first[1:]
    yield from fragments


def _dump_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
