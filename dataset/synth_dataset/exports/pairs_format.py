"""Format `pairs`: each picture beside the ids of its particles, in the layouts of cellpose and stardist."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from synth_dataset.documents.layout import INSTANCES
from synth_dataset.documents.png import encode_png
from synth_dataset.exports.export_format import ExportFormat
from synth_dataset.exports.picture_files import PictureFiles
from synth_dataset.exports.tiff import encode_tiff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.sample import Sample


class PairsFormat(ExportFormat):
    """Pictures and ids with 16 bits, in one folder of each split or in two."""

    name: ClassVar[str] = "pairs"

    def write_chunk(self, samples: Iterable[Sample], chunk: ChunkWriter) -> None:
        """Write picture and ids of each sample."""
        write = _write_cellpose if self.context.options.layout == "cellpose" else _write_stardist
        for sample in samples:
            write(sample, chunk)
            chunk.count(replace(sample, objects=sample.nearest_objects))

    def format_loading(self, location: str) -> str:
        """Return the line for cellpose or stardist."""
        folder = f"{location}/{self.context.main_split}"
        if self.context.options.layout == "cellpose":
            call = f"load_images_labels({folder!r}, mask_filter='_masks', image_filter='_img')"
            return f"from cellpose.io import load_images_labels; images, masks, names = {call}"
        pictures = f"[imread(path) for path in sorted(glob({folder + '/'!r} + kind + '/*.tif'))]"
        return (
            "from glob import glob; from tifffile import imread; "
            f"images, masks = ({pictures} for kind in ('images', 'masks'))"
        )

    def list_pictures(self) -> tuple[PictureFiles, ...]:
        """Return the pictures and the ids."""
        if self.context.options.layout == "cellpose":
            patterns, kind = {"pictures": "*/*_img.png", "masks": "*/*_masks.png"}, "image/png"
        else:
            patterns, kind = {"pictures": "*/images/*.tif", "masks": "*/masks/*.tif"}, "image/tiff"
        return tuple(PictureFiles(name, pattern, kind, r"^([a-z0-9_]+)/") for name, pattern in patterns.items())

    def describe_files(self) -> Mapping[str, str]:
        """Return the meaning of the files by their pattern."""
        ids = "16-bit particle ids, 0 is background"
        if self.context.options.layout == "cellpose":
            return {"<split>/<run>_img.png": "pictures, named by run number", "<split>/<run>_masks.png": ids}
        return {"<split>/images/<run>.tif": "pictures, named by run number", "<split>/masks/<run>.tif": ids}


def _write_cellpose(sample: Sample, chunk: ChunkWriter) -> None:
    stem = f"{sample.run.split}/{sample.name}"
    chunk.place(f"{stem}_img.png", sample, sample.picture)
    if sample.is_whole:
        chunk.place(f"{stem}_masks.png", sample, sample.find_file(INSTANCES))
    else:
        chunk.write(f"{stem}_masks.png", encode_png(sample.instances))
    for mode, file in sample.extras.items():
        chunk.place(f"{sample.run.split}_{mode}/{sample.name}.png", sample, file)


def _write_stardist(sample: Sample, chunk: ChunkWriter) -> None:
    split = sample.run.split
    pictures = {"images": sample.decode(sample.picture.path), "masks": sample.instances}
    extras = {mode: sample.decode(file.path) for mode, file in sample.extras.items()}
    for folder, pixels in (pictures | extras).items():
        chunk.write(f"{split}/{folder}/{sample.name}.tif", encode_tiff(pixels))
