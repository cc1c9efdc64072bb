"""Format `yolo`: pictures by split, and a text file with the outlines or boxes of each."""

from __future__ import annotations

import json
from functools import reduce
from typing import TYPE_CHECKING, ClassVar

from synth_dataset.exports.export_format import ExportFormat
from synth_dataset.exports.object_outlines import trace_objects
from synth_dataset.exports.outlines import join_loops
from synth_dataset.exports.picture_files import PictureFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.export_format import FinishedChunks
    from synth_dataset.exports.sample import Sample

DOCUMENT = "data.yaml"


class YoloFormat(ExportFormat):
    """Pictures in `images/<split>`, outlines in `labels/<split>`, splits and classes in `data.yaml`."""

    name: ClassVar[str] = "yolo"

    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write pictures and labels; a picture without particles has an empty file."""
        for sample in samples:
            split = sample.run.split
            chunk.place(f"images/{split}/{sample.name}.png", sample, sample.picture)
            lines = _list_boxes(sample) if self.context.options.boxes else self._list_outlines(sample)
            chunk.write(f"labels/{split}/{sample.name}.txt", "".join(lines).encode())
            for mode, file in sample.extras.items():
                chunk.place(f"{mode}/{split}/{sample.name}.png", sample, file)
            chunk.count(sample)

    def write_documents(self, finished: FinishedChunks) -> Iterator[File]:
        """Write `data.yaml` with the splits that have runs; trainers need `train` and `val`, which others stand for."""
        splits = tuple(filter(finished.counts.get, self.context.selection.splits)) or (self.context.main_split,)
        others = [split for split in splits if split != "train"]
        folders = {"train": splits[0], "val": others[0] if others else splits[0]} | {split: split for split in splits}
        names = {category.id - 1: category.name for category in self.context.classes.categories}
        lines = [f"{split}: images/{folder}\n" for split, folder in folders.items()]
        lines += ["names:\n", *(f"  {number}: {json.dumps(name)}\n" for number, name in names.items())]
        yield finished.target.write(DOCUMENT, "".join(lines if names else [*lines[:-1], "names: {}\n"]).encode())

    def format_loading(self, location: str) -> str:
        """Return the line for ultralytics."""
        path = f"{location}/{DOCUMENT}"
        return f"from ultralytics.data.utils import check_det_dataset; dataset = check_det_dataset({path!r})"

    def list_pictures(self) -> tuple[PictureFiles, ...]:
        """Return the pictures of all splits."""
        return (PictureFiles("pictures", "images/*/*.png", "image/png", r"^images/([a-z0-9_]+)/"),)

    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern."""
        what = "class and box" if self.context.options.boxes else "class and outline"
        return {
            "images/<split>/<run>.png": "pictures, named by run number",
            "labels/<split>/<run>.txt": f"{what} of each particle, as fractions of width and height",
            DOCUMENT: "splits and classes",
        }

    def _list_outlines(self, sample: Sample) -> Iterator[str]:
        """Yield a line for each object; cuts of no width join the parts of a mask to one outline."""
        width, height = sample.manifest.width, sample.manifest.height
        outlines = trace_objects(sample, amodal=self.context.options.amodal)
        for one in sample.objects:
            loop = reduce(join_loops, outlines[one.id])
            corners = " ".join(f"{_format(x / width)} {_format(y / height)}" for x, y in loop)
            yield f"{one.category.id - 1} {corners}\n"


def _list_boxes(sample: Sample) -> Iterator[str]:
    """Yield a line for each object: class, centre, width and height of its box."""
    whole = (sample.manifest.width, sample.manifest.height)
    for one in sample.objects:
        left, top, *size = one.box
        centre = [place + extent / 2 for place, extent in zip((left, top), size, strict=True)]
        parts = (part / full for pair in (centre, size) for part, full in zip(pair, whole, strict=True))
        yield f"{one.category.id - 1} {' '.join(map(_format, parts))}\n"


def _format(fraction: float) -> str:
    """Return a fraction with a millionth, which is a thirtieth of a pixel of the widest picture."""
    return f"{fraction:.6f}".rstrip("0").rstrip(".") or "0"
