"""Views of a dataset beside its tables: `coco.json` and the gallery."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain, count
from typing import TYPE_CHECKING, Final

from synth_dataset.documents import layout
from synth_dataset.views.coco import CocoRun, iterate_coco
from synth_dataset.views.dataset_run import ViewedRun
from synth_dataset.views.gallery_page import GALLERY, PIECES, build_page, write_assets
from synth_dataset.views.gallery_pieces import (
    iterate_failure_pieces,
    iterate_run_pieces,
    write_masks,
    write_pieces,
    write_thumbnails,
)
from synth_dataset.views.progress import Progress, Report, ignore_progress, report_to
from synth_dataset.views.run_pictures import choose_picture, list_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.views.dataset_run import DatasetRun

COCO: Final = "coco.json"

View = Callable[["Path", "Sequence[ViewedRun]", "AttemptDocument", "DatasetDocument", Progress], None]
"""Function that writes a file, perhaps with others, into a folder that has `index.parquet` and `particles.parquet`.

It is given the first runs, the attempt and the dataset, and reports progress.
"""


def write_coco(
    folder: Path,
    runs: Sequence[ViewedRun],
    attempt: AttemptDocument,
    dataset: DatasetDocument,
    progress: Progress = ignore_progress,
) -> None:
    """Write `coco.json` of the first runs; the bytes depend only on the attempt and its runs.

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
    with (folder / COCO).open("wb") as stream:
        stream.writelines(
            iterate_coco(shown, info, dataset.categories, _count_threads(runs), report_to(progress, COCO, len(runs)))
        )


def write_gallery(
    folder: Path,
    runs: Sequence[ViewedRun],
    attempt: AttemptDocument,
    dataset: DatasetDocument,
    progress: Progress = ignore_progress,
) -> None:
    """Write `index.html` and the files that it loads: all runs, and of the first ones masks, and thumbnails if packed.

    Memory holds one piece. Raises OSError if the annotations of a run cannot be read.
    """
    pieces = folder / PIECES
    pieces.mkdir()
    axes = [axis.path for axis in attempt.axes]
    rows = iterate_run_pieces(folder / layout.INDEX, folder / layout.PARTICLES, axes)
    reported = _report_runs(rows, report_to(progress, GALLERY, dataset.runs))
    written = write_pieces(pieces, chain(reported, iterate_failure_pieces(dataset.failures, axes)))
    masks = write_masks(pieces, runs, _count_threads(runs))
    thumbnails = write_thumbnails(pieces, runs, _count_threads(runs))
    write_assets(pieces)
    page = build_page(
        dataset.name,
        axes,
        root=layout.root_link(dataset.folder),
        pieces=written,
        masks=masks,
        thumbnails=thumbnails,
        masked_runs=len(runs),
    )
    (folder / GALLERY).write_bytes(page)


VIEWS: Final[tuple[View, ...]] = (write_coco, write_gallery)


def view_run(run: DatasetRun) -> ViewedRun:
    """Return what views need of a run."""
    manifest = run.manifest
    return ViewedRun(
        number=run.number,
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
        file_name=f"{run.folder}/{choose_picture(run.pictures)}",
        width=run.width,
        height=run.height,
        annotations=partial(run.read, layout.ANNOTATIONS),
    )


def _report_runs(pieces: Iterator[dict[str, Any]], report: Report) -> Iterator[dict[str, Any]]:
    """Yield pieces; after each piece report each of its runs."""
    done = count(1)
    for piece in pieces:
        yield piece
        for _ in piece["run"]:
            report(next(done))
