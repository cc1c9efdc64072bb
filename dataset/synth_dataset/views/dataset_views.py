"""Views of the first runs of a dataset: `coco.json` and `index.html`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq

from synth_api.errors import InputError
from synth_api.recipe.outputs import name_pictures
from synth_api.recipe.rendering import parse_rendering_steps
from synth_dataset.documents import layout
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.coco import CocoRun, iterate_coco
from synth_dataset.views.dataset_run import ViewedRun
from synth_dataset.views.gallery_page import GalleryAxis, GalleryFailure, GalleryRun, render_page
from synth_dataset.views.progress import Report, ignore_progress, report_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.views.dataset_run import DatasetRun

COCO: Final = "coco.json"
GALLERY: Final = "index.html"
INSTANCES: Final = "instances.png"
"""Picture of particle ids, which every run has."""


View = Callable[["Sequence[ViewedRun]", "AttemptDocument", "DatasetDocument", Report], "bytes | Iterable[bytes]"]
"""Function that builds a file, perhaps in parts, from the first runs, the attempt and the dataset; it reports runs."""


def build_coco(
    runs: Sequence[ViewedRun], attempt: AttemptDocument, dataset: DatasetDocument, report: Report = ignore_progress
) -> Iterable[bytes]:
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
    shown = [_build_coco_run(run) for run in runs]
    return iterate_coco(shown, info, dataset.categories, _count_threads(runs), report)


def build_gallery(
    runs: Sequence[ViewedRun], attempt: AttemptDocument, dataset: DatasetDocument, report: Report = ignore_progress
) -> bytes:
    """Build `index.html`. Raises OSError if the particle table of a run cannot be read."""
    root = layout.root_link(dataset.folder)
    axes = [GalleryAxis(axis.path, axis.values) for axis in attempt.axes]
    failed = [GalleryFailure(run.number, run.overrides, run.reason, run.message) for run in dataset.failures]
    cards = read_ahead(partial(_build_gallery_run, root=root), runs, _count_threads(runs))
    shown = list(report_each(cards, report))
    return render_page(dataset.name, axes, shown, failed, dataset.runs).encode()


VIEWS: Final[dict[str, View]] = {COCO: build_coco, GALLERY: build_gallery}


def view_run(run: DatasetRun) -> ViewedRun:
    """Return what views need of a run."""
    manifest = run.manifest
    return ViewedRun(
        number=run.number,
        overrides=run.overrides,
        seed=manifest.seed,
        particles=manifest.particles,
        visible=manifest.visible,
        width=manifest.width,
        height=manifest.height,
        pictures=tuple(list_pictures(manifest)),
        folder=run.folder,
        store=run.store,
    )


def _count_threads(runs: Sequence[ViewedRun]) -> int:
    return runs[0].store.max_requests if runs else 1


def _build_coco_run(run: ViewedRun) -> CocoRun:
    return CocoRun(
        number=run.number,
        file_name=f"{run.folder}/{_choose_picture(run.pictures)}",
        width=run.width,
        height=run.height,
        annotations=partial(run.read, "annotations.json"),
    )


def _choose_picture(pictures: Sequence[str]) -> str:
    """Return the picture for the masks: the first real image, else `instances.png`."""
    return next((path for path in pictures if path.rpartition(".")[0].endswith("real")), INSTANCES)


def _build_gallery_run(run: ViewedRun, root: str) -> GalleryRun:
    return GalleryRun(
        number=run.number,
        overrides=run.overrides,
        seed=run.seed,
        particles=run.particles,
        visible=run.visible,
        folder=f"{root}/{run.folder}",
        pictures=run.pictures,
        diameters=_compute_diameters(pq.read_table(BytesIO(run.read("particles.parquet")), columns=["volume"])),
    )


def list_pictures(manifest: Manifest) -> list[str]:
    """Return the pictures of all particles together, in the order of their steps and of `thumb.webp`.

    Of a recipe that this release cannot read: all pictures of the run's own folder but `instances.png`, by name.
    """
    existing = {file.path for file in manifest.files}
    named = manifest.pictures
    if named is None:
        named = _name_pictures(manifest) or tuple(sorted(path for path in existing if _is_picture(path)))
    return [file for file in named if file in existing]


def _name_pictures(manifest: Manifest) -> tuple[str, ...]:
    """Return the pictures that the recipe in a manifest of an earlier release names; none if it cannot be read."""
    try:
        recipe: Any = manifest.recipe
        return _name_pictures_of_steps(json.dumps(recipe["synth_chain"]["rendering_steps"]))
    except (KeyError, TypeError, InputError):
        return ()


def _is_picture(path: str) -> bool:
    """Return True for a PNG in the run's own folder that is no map of ids."""
    return path.endswith(".png") and "/" not in path and path != INSTANCES


@lru_cache(maxsize=64)
def _name_pictures_of_steps(rendering_steps: str) -> tuple[str, ...]:
    """Return the pictures of rendering steps, as JSON; the runs of a sweep share them, so they are parsed once."""
    tree = {"synth_chain": {"rendering_steps": json.loads(rendering_steps)}}
    return name_pictures(parse_rendering_steps(tree))


def _compute_diameters(table: Any) -> NDArray[np.float64]:
    """Compute the diameters (N,) of spheres with the volumes of the particles, in scene units: (6 V / pi)^(1/3)."""
    diameters: NDArray[np.float64] = np.cbrt(table["volume"].drop_null().to_numpy() * (6 / np.pi))
    return diameters
