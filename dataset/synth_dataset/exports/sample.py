"""Samples of an export: a run with its picture and the particles that the options keep."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from synth_dataset.documents import layout
from synth_dataset.documents.agglomerates import join_agglomerates
from synth_dataset.documents.annotations import parse_annotations
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.particle_table import parse_table
from synth_dataset.documents.png import decode_png
from synth_dataset.documents.remedies import REPAIR_RUN
from synth_dataset.documents.rle import Rle, find_box, paint_masks
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.views.run_pictures import choose_picture, list_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.documents.agglomerates import AgglomerateMasks
    from synth_dataset.documents.attempt_document import Category
    from synth_dataset.documents.pictures import Pixels
    from synth_dataset.documents.run_manifest import File, Manifest
    from synth_dataset.exports.classes import ClassMap
    from synth_dataset.exports.options import ExportOptions
    from synth_dataset.exports.selection import SelectedRun


@dataclass(frozen=True)
class SampleObject:
    """Particle of a picture: box as left, top, width, height in px, and its mask."""

    id: int
    category: Category
    box: tuple[int, int, int, int]
    area: int
    amodal_area: int
    visible_fraction: float
    occluded_by: tuple[int, ...]
    mask: Rle
    """Visible or amodal mask, as the options want it."""
    visible: Rle
    centre_line: Mapping[str, Any] | None
    """Of a fibre, as in `annotations.json`."""
    ignored: bool
    """True for a particle below a minimum that is kept as one to ignore."""
    overlaps: tuple[int, ...] | None = None
    """Ids of the particles that share pixels with it; None unless particles shine through."""
    agglomerate: int | None = None
    """Number of its agglomerate; None if it is in none."""


@dataclass(frozen=True)
class SampleAgglomerate:
    """Agglomerate of a picture: the union of its objects, visible or amodal as theirs."""

    category: Category
    box: tuple[int, int, int, int]
    """Left, top, width, height, px."""
    area: int
    mask: Rle
    joined: AgglomerateMasks


@dataclass(frozen=True)
class Sample:
    """Run of an export with its files and objects."""

    run: SelectedRun
    source: DatasetSource
    manifest: Manifest
    objects: tuple[SampleObject, ...]
    is_whole: bool
    """True if no particle of the picture is left out."""
    picture: File
    extras: Mapping[str, File]
    """Other pictures, by rendering mode."""
    agglomerates: tuple[SampleAgglomerate, ...] = ()
    """Empty where the classes have none of agglomerates."""

    @property
    def name(self) -> str:
        """Name of its files, unique in the export: the run number."""
        return f"{self.run.number:06d}"

    def find_path(self, file: str) -> str:
        """Return the path of a file of the run in its store."""
        return f"{layout.run_path(self.manifest.key, self.manifest.c8)}/{check_stored_path(file)}"

    def find_file(self, path: str) -> File:
        """Return a file of the manifest. Raises FileNotFoundError."""
        return find_file(self.manifest, path)

    def read(self, file: str) -> bytes:
        """Return the content of a file of the run. Raises FileNotFoundError."""
        return self.source.store.read(self.find_path(file))

    def decode(self, file: str) -> Pixels:
        """Return the pixels of a picture of the run. Raises FileNotFoundError, DocumentError for no picture."""
        content = self.read(file)
        try:
            return decode_png(content, self._format_address(file))
        except OSError as error:
            raise DocumentError(f"{error}; {REPAIR_RUN}") from error

    def read_particles(self) -> list[dict[str, Any]]:
        """Return the particles in the annotations of the run. Raises FileNotFoundError, DocumentError."""
        content, address = self.read(layout.ANNOTATIONS), self._format_address(layout.ANNOTATIONS)
        particles: list[dict[str, Any]] = parse_annotations(content, address, REPAIR_RUN)["particles"]
        return particles

    def read_table(self) -> pa.Table:
        """Return the particle table of the run. Raises FileNotFoundError, DocumentError."""
        content = self.read(layout.PARTICLES)
        try:
            return parse_table(content)
        except pa.ArrowInvalid as error:
            raise DocumentError(f"{self._format_address(layout.PARTICLES)}: is not Parquet; {REPAIR_RUN}") from error

    def _format_address(self, file: str) -> str:
        return self.source.store.format_uri(self.find_path(file))

    @property
    def masks_overlap(self) -> bool:
        """True if particles of the picture shine through."""
        return any(one.overlaps is not None for one in self.objects)

    @property
    def nearest_objects(self) -> tuple[SampleObject, ...]:
        """The objects that have a pixel in `instances`: all, unless masks overlap."""
        if not self.masks_overlap:
            return self.objects
        shown = set(np.unique(self.instances).tolist())
        return tuple(one for one in self.objects if one.id in shown)

    @cached_property
    def instances(self) -> NDArray[np.uint16]:
        """Ids (H, W) of the particles that the export keeps, 0 elsewhere; the nearest of all where masks overlap.

        Raises FileNotFoundError, DocumentError where masks overlap, for the picture that has the nearest.
        """
        if self.masks_overlap:
            return self._select_nearest()
        ids, masks = [one.id for one in self.objects], [one.visible for one in self.objects]
        return paint_masks(ids, masks, self.manifest.width, self.manifest.height)

    def _select_nearest(self) -> NDArray[np.uint16]:
        is_kept = np.zeros(1 << 16, np.uint16)
        is_kept[[one.id for one in self.objects]] = 1
        ids = self.decode(layout.INSTANCES).astype(np.uint16)
        return np.asarray(ids * is_kept[ids])


class SampleReader:
    """Reader of the samples of an export."""

    def __init__(self, sources: tuple[DatasetSource, ...], classes: ClassMap, options: ExportOptions) -> None:
        self._sources = sources
        self._classes = classes
        self._options = options

    def read(self, run: SelectedRun) -> Sample:
        """Read manifest and annotations of a run. Raises FileNotFoundError, DocumentError."""
        bare = self.read_bare(run)
        particles = bare.read_particles()
        objects = tuple(one for one in map(self._build_object, particles) if one is not None)
        kept = {one.id for one in objects}
        return replace(
            bare,
            objects=objects,
            is_whole=len(objects) == len(particles),
            agglomerates=tuple(self._join([one for one in particles if one["id"] in kept])),
        )

    def _join(self, particles: list[dict[str, Any]]) -> Iterator[SampleAgglomerate]:
        """Yield the agglomerates of the particles that are kept."""
        category = self._classes.agglomerates
        for one in join_agglomerates(particles) if category else ():
            assert category is not None
            mask, area, box = one.visible, one.area, one.box
            if self._options.amodal:
                mask, area, box = one.amodal, one.amodal_area, find_box(one.amodal)
            yield SampleAgglomerate(category, box, area, mask, one)

    def read_bare(self, run: SelectedRun) -> Sample:
        """Read the manifest of a run alone: a sample without objects. Raises FileNotFoundError, DocumentError."""
        source = self._sources[run.source]
        manifest = source.read_manifest(run.key)
        pictures = list_pictures(manifest)
        extras = {mode: _find_mode(manifest, pictures, mode) for mode in self._options.pictures}
        return Sample(run, source, manifest, (), False, find_file(manifest, choose_picture(pictures)), extras)

    def _build_object(self, particle: Mapping[str, Any]) -> SampleObject | None:
        """Return a particle as the options want it; None if it is left out."""
        category = self._classes.find_category(particle["category"])
        amodal = self._options.amodal
        area = particle["amodal_area" if amodal else "area"]
        is_below = area < self._options.min_area or particle["visible_fraction"] < self._options.min_visible
        if category is None or (is_below and self._options.below == "drop"):
            return None
        mask: Rle = particle["amodal" if amodal else "visible"]
        left, top, width, height = find_box(mask) if amodal else particle["bbox"]
        return SampleObject(
            id=particle["id"],
            category=category,
            box=(left, top, width, height),
            area=area,
            amodal_area=particle["amodal_area"],
            visible_fraction=particle["visible_fraction"],
            occluded_by=tuple(particle["occluded_by"]),
            mask=mask,
            visible=particle["visible"],
            centre_line=particle.get("centre_line"),
            ignored=is_below,
            overlaps=tuple(particle["overlaps"]) if "overlaps" in particle else None,
            agglomerate=particle.get("agglomerate"),
        )


def find_file(manifest: Manifest, path: str) -> File:
    """Return a file of a manifest. Raises FileNotFoundError that names it."""
    found = next((file for file in manifest.files if file.path == path), None)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{manifest.key}/{path}")
    return found


def _find_mode(manifest: Manifest, pictures: list[str], mode: str) -> File:
    found = next((path for path in pictures if path.rpartition(".")[0].endswith(mode)), None)
    if found is None:
        problem = f"run {manifest.key[:12]} has no {mode}; the recipe must ask for it, see docs/labels.md"
        raise DocumentError(problem)
    return find_file(manifest, found)
