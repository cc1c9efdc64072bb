"""Views of the first runs of a dataset: `coco.json` and `index.html`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq

from synth_api.recipe.outputs import build_step_outputs
from synth_api.recipe.rendering import parse_rendering_steps
from synth_dataset.documents import layout
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.coco import CocoRun, iterate_coco
from synth_dataset.views.gallery_page import GalleryAxis, GalleryFailure, GalleryRun, render_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.views.dataset_run import DatasetRun

COCO: Final = "coco.json"
GALLERY: Final = "index.html"


View = Callable[["Sequence[DatasetRun]", "AttemptDocument", "DatasetDocument"], "bytes | Iterable[bytes]"]
"""Function that builds a file, perhaps in parts, from the first runs, the attempt and the dataset."""


def build_coco(runs: Sequence[DatasetRun], attempt: AttemptDocument, dataset: DatasetDocument) -> Iterable[bytes]:
    """Build `coco.json` in parts; the bytes depend only on the attempt and its runs.

    Raises OSError if the annotations of a run cannot be read.
    """
    info = {
        "description": dataset.name,
        "version": "/".join(dataset.folder.split("/")[-2:]),
        "date_created": attempt.created.isoformat(timespec="seconds"),
        "plan": dataset.plan,
        "runs": dataset.runs,
        "root": layout.root_link(dataset.folder),
    }
    return iterate_coco([_build_coco_run(run) for run in runs], info, dataset.categories, _count_threads(runs))


def build_gallery(runs: Sequence[DatasetRun], attempt: AttemptDocument, dataset: DatasetDocument) -> bytes:
    """Build `index.html`. Raises OSError if the particle table of a run cannot be read."""
    axes = [GalleryAxis(axis.path, axis.values) for axis in attempt.axes]
    failed = [GalleryFailure(run.number, run.overrides, run.reason, run.message) for run in dataset.failures]
    shown = list(read_ahead(_build_gallery_run, runs, _count_threads(runs)))
    return render_page(dataset.name, axes, shown, failed, dataset.runs).encode()


VIEWS: Final[dict[str, View]] = {COCO: build_coco, GALLERY: build_gallery}


def _count_threads(runs: Sequence[DatasetRun]) -> int:
    return runs[0].store.max_requests if runs else 1


def _build_coco_run(run: DatasetRun) -> CocoRun:
    manifest = run.manifest
    return CocoRun(
        number=run.number,
        file_name=f"{run.folder}/{_choose_picture(list_pictures(manifest))}",
        width=manifest.width,
        height=manifest.height,
        annotations=partial(run.read, "annotations.json"),
    )


def _choose_picture(pictures: Sequence[str]) -> str:
    """Return the picture for the masks: the first real image, else `instances.png`."""
    return next((path for path in pictures if path.rpartition(".")[0].endswith("real")), "instances.png")


def _build_gallery_run(run: DatasetRun) -> GalleryRun:
    manifest = run.manifest
    return GalleryRun(
        number=run.number,
        overrides=run.overrides,
        seed=manifest.seed,
        particles=manifest.particles,
        visible=manifest.visible,
        folder=run.link,
        pictures=list_pictures(manifest),
        diameters=_compute_diameters(pq.read_table(BytesIO(run.read("particles.parquet")), columns=["volume"])),
    )


def list_pictures(manifest: Manifest) -> list[str]:
    """Return the pictures of all particles together, in the order of their steps and of `thumb.webp`."""
    existing = {file.path for file in manifest.files}
    outputs = build_step_outputs(parse_rendering_steps(manifest.recipe))
    files = [
        output.get_path() for output in outputs if not output.one_by_one and output.extension not in ("blend", "stl")
    ]
    return [file for file in files if file in existing]


def _compute_diameters(table: Any) -> NDArray[np.float64]:
    """Compute the diameters (N,) of spheres with the volumes of the particles, in scene units: (6 V / pi)^(1/3)."""
    diameters: NDArray[np.float64] = np.cbrt(table["volume"].drop_null().to_numpy() * (6 / np.pi))
    return diameters
