"""The labels of one run against each other: picture of ids, annotations, particle table, manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents.layout import ANNOTATIONS, INSTANCES, PARTICLES, run_path
from synth_dataset.documents.rle import encode_mask
from synth_dataset.verification.fault import Fault, explain_remedy
from synth_dataset.verification.overlapping_masks import compare_overlapping_masks
from synth_dataset.verification.stored_files import format_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store
    from synth_dataset.verification.label_files import RunLabels

_SHOWN: Final = 5
"""Ids that a sentence lists at most."""


def compare_labels(store: Store, run: int, manifest: Manifest, labels: RunLabels) -> Iterator[Fault]:
    """Yield the faults of a run's labels: each file against the pixels of `instances.png`."""
    folder, remedy = run_path(manifest.key, manifest.c8), explain_remedy(run)

    def describe(file: str, expected: str, found: str) -> Fault:
        return Fault(format_place(store, f"{folder}/{file}"), expected, found, remedy, run)

    size = (manifest.width, manifest.height)
    if labels.size != size:
        yield describe(INSTANCES, "{} x {} px, as in the manifest".format(*size), "{} x {} px".format(*labels.size))
        return
    noted = [note["id"] for note in labels.notes]
    if extra := sorted(labels.pixels.keys() - set(noted)):
        yield describe(INSTANCES, f"only ids of {ANNOTATIONS}", f"{format_ids(extra)} too")
    lacking = sorted(set(noted) - labels.pixels.keys())
    if lacking and not labels.masks_overlap:
        yield describe(INSTANCES, f"pixels of {format_ids(lacking)}, as in {ANNOTATIONS}", "none")
    if len(noted) != (expected_notes := manifest.visible - labels.count_omissions()):
        yield describe(ANNOTATIONS, f"{expected_notes:,} visible particles, as in the manifest", f"{len(noted):,}")
    if len(labels.table) != manifest.particles:
        yield describe(PARTICLES, f"{manifest.particles:,} rows, as in the manifest", f"{len(labels.table):,}")
    if labels.masks_overlap:
        for name, number, expected, found in compare_overlapping_masks(labels):
            yield describe(name, f"{expected} of particle {number}, as in {INSTANCES} and the masks", found)
    else:
        for name, number, expected, found in (*_compare_masks(labels), *_compare_table(labels)):
            yield describe(name, f"{expected} of particle {number}, as in {INSTANCES}", found)
    for number, expected, found in _compare_blueprints(labels):
        yield describe(PARTICLES, f"blueprint {expected} of particle {number}, as in {ANNOTATIONS}", found)


def format_ids(ids: Iterable[int]) -> str:
    """Return `id 7`, or `ids 7, 8 and 40 more`."""
    numbers = list(ids)
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
    return f"{'id' if len(numbers) == 1 else 'ids'} {shown}{more}"


def _compare_masks(labels: RunLabels) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, particle, what is expected and found where an annotation differs from the picture."""
    width, height = labels.size
    for note in labels.notes:
        pixels = labels.pixels.get(note["id"])
        if pixels is None:
            continue
        rows, columns = np.divmod(pixels, width)
        left, top = int(columns.min()), int(rows.min())
        box = [left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        if note["area"] != len(pixels):
            yield ANNOTATIONS, note["id"], f"area {len(pixels):,}", f"{note['area']:,}"
        if note["bbox"] != box:
            yield ANNOTATIONS, note["id"], f"bbox {box}", str(note["bbox"])
        if note["visible"] != encode_mask(pixels, width, height):
            yield ANNOTATIONS, note["id"], "the mask", "another one"


def _compare_table(labels: RunLabels) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, particle, what is expected and found where a row differs from the picture."""
    ids = labels.table["id"].to_pylist()
    visible = labels.table["visible_px"].to_pylist()
    for number in sorted(labels.pixels.keys() - set(ids)):
        yield PARTICLES, number, "a row", "none"
    for number, pixels, is_labelled in zip(ids, visible, labels.is_labelled, strict=True):
        expected = len(labels.pixels.get(number, ()))
        if is_labelled and pixels != expected:
            yield PARTICLES, number, f"visible_px {expected:,}", f"{pixels:,}"


def _compare_blueprints(labels: RunLabels) -> Iterator[tuple[int, str, str]]:
    blueprints = dict(zip(labels.table["id"].to_pylist(), labels.table["blueprint"].to_pylist(), strict=True))
    for note in labels.notes:
        found = blueprints.get(note["id"], note["category"])
        if found != note["category"]:
            yield note["id"], note["category"], found
