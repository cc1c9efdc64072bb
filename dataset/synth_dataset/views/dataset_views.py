"""The files of a dataset that show its runs together: `coco.json` and `index.html`."""

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
from synth_dataset.views.coco import CocoRun, coco_chunks
from synth_dataset.views.gallery_page import GalleryAxis, GalleryFailure, GalleryRun, gallery_page

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
"""Makes a file, piece by piece, of the first samples, the attempt and the dataset."""


def coco(samples: Sequence[DatasetRun], attempt: AttemptDocument, dataset: DatasetDocument) -> Iterable[bytes]:
    """`coco.json`, run by run: the same bytes whenever it is written. Raises OSError when a run's annotations cannot be
    read.
    """
    info = {
        "description": dataset.name,
        "version": "/".join(dataset.folder.split("/")[-2:]),
        "date_created": attempt.created.isoformat(timespec="seconds"),
        "plan": dataset.plan,
        "runs": dataset.runs,
        "root": layout.root_link(dataset.folder),
    }
    return coco_chunks([_coco_run(sample) for sample in samples], info, dataset.categories, _threads(samples))


def gallery(samples: Sequence[DatasetRun], attempt: AttemptDocument, dataset: DatasetDocument) -> bytes:
    """`index.html`. Raises OSError when a run's particle table cannot be read."""
    axes = [GalleryAxis(axis.path, axis.values) for axis in attempt.axes]
    failed = [GalleryFailure(run.number, run.overrides, run.reason, run.message) for run in dataset.failures]
    shown = list(read_ahead(_gallery_run, samples, _threads(samples)))
    return gallery_page(dataset.name, axes, shown, failed, dataset.runs).encode()


VIEWS: Final[dict[str, View]] = {COCO: coco, GALLERY: gallery}


def _threads(samples: Sequence[DatasetRun]) -> int:
    return samples[0].store.requests_at_once if samples else 1


def _coco_run(sample: DatasetRun) -> CocoRun:
    manifest = sample.manifest
    return CocoRun(
        number=sample.number,
        file_name=f"{sample.folder}/{_coco_picture(list_pictures(manifest))}",
        width=manifest.width,
        height=manifest.height,
        annotations=partial(sample.read, "annotations.json"),
    )


def _coco_picture(pictures: Sequence[str]) -> str:
    """The picture that the masks are of: the first real image, else the ids themselves."""
    return next((path for path in pictures if path.rpartition(".")[0].endswith("real")), "instances.png")


def _gallery_run(sample: DatasetRun) -> GalleryRun:
    manifest = sample.manifest
    return GalleryRun(
        number=sample.number,
        overrides=sample.overrides,
        seed=manifest.seed,
        particles=manifest.particles,
        visible=manifest.visible,
        folder=sample.link,
        pictures=list_pictures(manifest),
        diameters=_diameters(pq.read_table(BytesIO(sample.read("particles.parquet")), columns=["volume"])),
    )


def list_pictures(manifest: Manifest) -> list[str]:
    """The pictures of all particles together, in the order of their steps, which is that of `thumb.webp`."""
    there = {file.path for file in manifest.files}
    outputs = build_step_outputs(parse_rendering_steps(manifest.recipe))
    files = [
        output.get_path() for output in outputs if not output.one_by_one and output.extension not in ("blend", "stl")
    ]
    return [file for file in files if file in there]


def _diameters(table: Any) -> NDArray[np.float64]:
    """Diameters of the spheres of the particles' volumes, scene units."""
    diameters: NDArray[np.float64] = np.cbrt(table["volume"].drop_null().to_numpy() * (6 / np.pi))
    return diameters
