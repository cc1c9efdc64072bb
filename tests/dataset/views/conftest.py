"""Pages of small datasets, a browser that opens them, and scenes of overlapping discs, labelled by hand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_dataset.documents.annotations import Annotation, build_annotations
from synth_dataset.documents.pictures import write_png, write_webp
from synth_dataset.views.coco import CocoRun
from synth_dataset.views.gallery_page import GalleryAxis, GalleryFailure, GalleryRun, render_page
from synth_dataset.views.thumbnails import build_contact_strip

MODES = ("real", "categorical", "depth_map")
NUMBER = "blueprints.particles.Bead.number"
SEED = "initial_runtime_state.seed"
AXES = (GalleryAxis(NUMBER, (100, 600)), GalleryAxis(SEED, (0, 1, 2)))
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --window-size=1280,900 --virtual-time-budget=3000"""


class Dom:
    """What the browser has made of a page."""

    def __init__(self, text: str) -> None:
        self.text = text

    def shown_runs(self) -> list[int]:
        cards = re.findall(r'<article class="run[^"]*" id="r(\d+)"([^>]*)>', self.text)
        return [int(number) for number, rest in cards if "hidden" not in rest]

    def element(self, name: str) -> str:
        """Text of the element with that id."""
        found = re.search(rf'id="{name}"[^>]*>(.*?)</', self.text, re.DOTALL)
        assert found, name
        return unescape(found[1])

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.text) is not None


def run_of(number: int, folder: str = "runs/{}") -> GalleryRun:
    place, seed = divmod(number, 3)
    beads = (100, 600)[place % 2]
    return GalleryRun(
        number=number,
        overrides={NUMBER: beads, SEED: seed},
        seed=seed,
        particles=beads,
        visible=beads - 5,
        folder=folder.format(number),
        pictures=tuple(f"{mode}.png" for mode in MODES),
        diameters=np.random.default_rng(number).uniform(4, 6, beads),
    )


def write_pictures(folder: Path, number: int) -> None:
    """Pictures of one colour each, so that a screenshot can tell them apart."""
    folder.mkdir(parents=True)
    colors = {"real": (200, 200, 200), "categorical": (250, 0, 0), "depth_map": (0, 0, 250)}
    pictures = [np.full((96, 96, 3), colors[mode], dtype=np.uint8) for mode in MODES]
    for mode, pixels in zip(MODES, pictures, strict=True):
        write_png(folder / f"{mode}.png", pixels)
    write_webp(folder / "thumb.webp", build_contact_strip(pictures))


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


@pytest.fixture
def make_run():
    return run_of


@pytest.fixture
def axes() -> tuple[GalleryAxis, ...]:
    return AXES


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Six runs of two numbers and three seeds, their pictures, and a run that failed."""
    for number in range(6):
        write_pictures(tmp_path / f"runs/{number}", number)
    failures = [GalleryFailure(6, {NUMBER: 600, SEED: 3}, "GateError", "the labels do not fit the picture")]
    path = tmp_path / "index.html"
    path.write_text(render_page("spheres_sem", AXES, [run_of(number) for number in range(6)], failures, 6))
    return path


@pytest.fixture
def browser(tmp_path: Path) -> Callable[..., str]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "the gallery is tested in Chromium: apt-get install chromium"

    def call(page: Path, state: str, *flags: str) -> str:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [program, *FLAGS.split(), profile, *flags, f"{page.as_uri()}#{state}"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    return call


@pytest.fixture
def dom(browser) -> Callable[..., Dom]:
    """Open a page with the state behind # and give the document it became."""
    return lambda page, state="": Dom(browser(page, state, "--dump-dom"))
