"""A browser for gallery pages, and scenes of overlapping discs, labelled by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium
from numpy.typing import NDArray

from synth_dataset.documents.annotations import Annotation, build_annotations
from synth_dataset.views.coco import CocoRun


@dataclass(frozen=True)
class Scene:
    """A run on disk and the ids (H, W) its masks must give back."""

    run: CocoRun
    ids: NDArray[np.uint16]
    amodal: dict[int, NDArray[np.bool_]]


def annotation(number: int, ids: NDArray[np.uint16], amodal: NDArray[np.bool_]) -> Annotation:
    rows, columns = np.nonzero(ids == number)
    return Annotation(
        id=number,
        blueprint="Bead" if number % 2 else "Flake",
        visible=np.flatnonzero(ids == number).astype(np.int32),
        amodal=np.flatnonzero(amodal).astype(np.int32),
        box=(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1),
        occluded_by=tuple(int(other) for other in np.unique(ids[amodal]) if other > number),
    )


@pytest.fixture
def scene_of(tmp_path: Path):
    def scene(number: int, discs: int, width: int = 60, height: int = 40) -> Scene:
        rng = np.random.default_rng(number)
        y, x = np.mgrid[:height, :width]
        amodal = {
            disc: np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) < rng.uniform(4, 9)
            for disc in range(1, discs + 1)
        }
        ids = np.zeros((height, width), dtype=np.uint16)
        for disc, inside in amodal.items():
            ids[inside] = disc
        notes = [annotation(disc, ids, amodal[disc]) for disc in amodal if (ids == disc).any()]
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(build_annotations(notes, width, height)))
        return Scene(CocoRun(number, f"runs/{number}/real.png", width, height, path.read_bytes), ids, amodal)

    return scene


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
