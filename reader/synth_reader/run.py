"""A run of a dataset: what is known of it, and its files, read when they are asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from synth_reader.errors import DatasetError
from synth_reader.location import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_reader.location import Location
    from synth_reader.shards import ShardPlace

_PARTICLES: Final = "particles.parquet"
_ANNOTATIONS: Final = "annotations.json"
_AGGLOMERATES: Final = "agglomerates.png"
_BIT_DEPTH: Final = 24
"""Byte of a PNG that holds the bits of a sample."""


@dataclass(frozen=True)
class RunMeta:
    """What the index of a dataset says of a run; None where an earlier release has not written it."""

    run: int
    """Number in the dataset; an excluded or failed run leaves a gap."""
    key: str
    """Hash of the resolved recipe, in hexadecimal: equal for equal runs."""
    seed: int
    split: str | None
    """Split, if the dataset has splits."""
    width: int | None
    """Pixels."""
    height: int | None
    """Pixels."""
    pixel_size: float | None
    """Scene units of a pixel's side; None also where the technique has no scale."""
    particles: int
    """Number of particles, those outside the picture too."""
    visible: int
    """Number of particles that the picture shows."""
    overrides: Mapping[str, Any]
    """Axis -> value of the run; values other than numbers and truth values as text."""


class Run:
    """A run of a dataset; its files are read at the first access, and kept as long as the run."""

    def __init__(self, location: Location, folder: str, meta: RunMeta, packed: ShardPlace | None) -> None:
        self.meta = meta
        self._location = location
        self._folder = folder
        self._packed = packed

    def __repr__(self) -> str:
        return f"Run({self.meta.run}, key={self.meta.key[:12]}…)"

    @cached_property
    def image(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The first real image, (H, W) grey or (H, W, 3) RGB. Raises DatasetError for a run without one."""
        files = {file["path"] for file in self.manifest["files"]}
        pictures = self.manifest.get("pictures") or sorted(file for file in files if "/" not in file)
        for file in pictures:
            if file in files and file.endswith("real.png"):
                return self.read_picture(file)
        shown = ", ".join(file for file in pictures if file in files) or "none"
        raise DatasetError(f"run {self.meta.run} has no real image; pictures that `read_picture` reads: {shown}")

    @cached_property
    def instances(self) -> NDArray[np.uint16]:
        """Ids of the particles, (H, W); 0 is background. Where particles shine through it has the nearest ones."""
        return self.read_picture("instances.png").astype(np.uint16, copy=False)

    @cached_property
    def agglomerates(self) -> NDArray[np.uint16]:
        """Numbers of agglomerates, (H, W); 0 is background or a particle in none.

        Raises DatasetError for a run whose recipe makes none.
        """
        if all(file["path"] != _AGGLOMERATES for file in self.manifest["files"]):
            raise DatasetError(f"run {self.meta.run} has no agglomerates; its recipe has no step AgglomerateParticles")
        return self.read_picture(_AGGLOMERATES).astype(np.uint16, copy=False)

    @cached_property
    def annotations(self) -> list[dict[str, Any]]:
        """The visible particles of `annotations.json`; `decode_mask` decodes their masks, which may overlap.

        Raises DatasetError for a damaged file.
        """
        content = self.read(_ANNOTATIONS)
        document = parse_json(content, self._format(_ANNOTATIONS))
        if not isinstance(document.get("particles"), list):
            raise DatasetError(f"{self._format(_ANNOTATIONS)}: has no particles; render its run again")
        particles: list[dict[str, Any]] = document["particles"]
        return particles

    @cached_property
    def particles(self) -> pa.Table:
        """One row for each particle, those outside the picture too; `id` is that of `instances`.

        Fields have their unit and meaning in their metadata. Raises DatasetError for a damaged one.
        """
        content = self.read(_PARTICLES)
        try:
            return pq.read_table(pa.BufferReader(content))
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(f"{self._format(_PARTICLES)}: is not Parquet; render its run again") from error

    @cached_property
    def keypoints(self) -> Mapping[int, NDArray[np.float64]]:
        """Centre lines of the fibres that the picture shows: particle id -> points (40, 3) at equal distances.

        Column and row are in px, pixel centres at .5; the third is 2 for a visible point and 1 for a hidden one.
        """
        lines = {note["id"]: note["centre_line"]["points"] for note in self.annotations if "centre_line" in note}
        return {number: np.array(points, dtype=np.float64) for number, points in lines.items()}

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the run: files, pictures, depth range, versions, seconds, gates."""
        return self._content[0]

    def read_picture(self, file: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Return the pixels of a PNG of 8 bits, or a grey one of 16: (H, W) or (H, W, 3).

        Raises DatasetError for a file that is missing, damaged, or would be cut to 8 bits.
        """
        content = self.read(file)
        try:
            with Image.open(BytesIO(content), formats=["PNG"]) as picture:
                pixels = np.array(picture)
        except (OSError, SyntaxError) as error:
            raise DatasetError(f"{self._format(file)}: is not a PNG that can be read; render its run again") from error
        if pixels.ndim == 3 and content[_BIT_DEPTH] == 16:
            raise DatasetError(f"{self._format(file)}: has colours of 16 bits; decode what `read` returns with OpenCV")
        return pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint16)

    def read(self, file: str) -> bytes:
        """Return the content of a file of the run. Raises DatasetError for a missing one."""
        path = f"{self._folder}/{file}"
        packed, files = self._packed, self._content[1] if self._packed else None
        try:
            if packed is None or files is None:
                return self._location.read(path)
            if file not in files:
                raise self._describe_loss(path)
            return self._location.read_part(packed.shard, *files[file])
        except FileNotFoundError as error:
            raise self._describe_loss(path) from error

    @cached_property
    def _content(self) -> tuple[dict[str, Any], Mapping[str, tuple[int, int]] | None]:
        """The manifest; offset in the shard and size of each file, None of a run with a manifest of its own.

        A manifest of other files than the dataset has does not go before the packed run.
        """
        path = f"manifests/{self.meta.key[:2]}/{self.meta.key}.json"
        with suppress(FileNotFoundError):
            manifest = self._location.read_json(path)
            if self._packed is None or self._folder.endswith(f"/{manifest.get('c8')}"):
                return manifest, None
        if self._packed is None:
            raise self._describe_loss(path)
        try:
            content = self._packed.read_manifest(self._location)
        except FileNotFoundError as error:
            raise self._describe_loss(self._packed.shard) from error
        manifest = parse_json(content, self._location.format(path))
        return manifest, self._packed.locate_files(self._folder, manifest)

    def _format(self, file: str) -> str:
        return self._location.format(f"{self._folder}/{file}")

    def _describe_loss(self, path: str) -> DatasetError:
        remedy = "render the sweep again, or open the dataset again if it has been replaced"
        return DatasetError(f"{self._location.format(path)}: a file of run {self.meta.run} is missing; {remedy}")
