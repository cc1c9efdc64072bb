"""Arrows end beside the particles that they point at."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import staged_beads

from synth_renderer.randomness.streams import Stream
from synth_renderer.techniques.imaging.arrows import draw_arrows
from synth_renderer.techniques.registry import TECHNIQUES

SHAPE = (240, 320)
FEATURES = {"overlays": True, "arrows": 0, "arrow_length": 0.1}
PLACES = ((60, 60), (160, 120), (260, 60), (80, 180), (240, 190))
"""Column and row of the middles."""
RADIUS = 18


def draw_discs() -> np.ndarray:
    ids = np.zeros(SHAPE, dtype=np.uint16)
    for number, middle in enumerate(PLACES, start=1):
        cv2.circle(ids, middle, RADIUS, (number,), -1)
    return ids


def draw(seed=0, ids=None, covered=None, **features):
    stream = Stream(seed, "step", "SEM", "arrows")
    return draw_arrows(FEATURES | features, draw_discs() if ids is None else ids, covered, stream)


def count_pieces(strokes) -> int:
    return cv2.connectedComponents((strokes > 0).astype(np.uint8))[0] - 1


def test_no_arrows_are_the_default_and_one_feature_switches_them_off():
    assert draw() is None
    assert draw(arrows=3, overlays=False) is None
    assert draw(arrows=3, ids=np.zeros(SHAPE, dtype=np.uint16)) is None


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_each_arrow_is_at_another_particle(seed, number):
    strokes = draw(seed, arrows=number)
    assert count_pieces(strokes) == number
    rows, columns = np.nonzero(strokes)
    away = np.hypot(*(np.array(PLACES)[:, None] + 0.5 - np.stack([columns, rows], axis=1)).transpose(2, 0, 1))
    assert ((away.min(axis=1) < RADIUS + 8) & (away.min(axis=1) > RADIUS)).sum() == number, "the tips"
    assert (away.min(axis=0) > RADIUS).all(), "arrows at round particles leave them free"


@pytest.mark.parametrize("seed", range(6))
def test_the_tip_is_nearer_to_the_particle_than_the_broad_end_of_the_head(seed):
    ids = np.zeros(SHAPE, dtype=np.uint16)
    cv2.circle(ids, (160, 120), 20, (1,), -1)
    rows, columns = np.nonzero(draw(seed, ids=ids, arrows=1, arrow_length=0.2) == 1.0)
    away = np.hypot(columns - 159.5, rows - 119.5)
    near, far = (np.histogram(away, bins=[away.min(), away.min() + 4, away.min() + 12])[0] / (4, 8)).tolist()
    assert near < far


def test_an_arrow_is_as_long_as_asked_for_and_thin():
    def measure(length: float) -> tuple[float, float]:
        strokes = [draw(seed, arrows=1, arrow_length=length) for seed in range(12)]
        points = [np.argwhere(ink > 0).astype(np.float32) for ink in strokes]
        return max(max(cv2.minAreaRect(place)[1]) for place in points), max(float(ink.sum()) for ink in strokes)

    (short, _), (long, area) = measure(0.1), measure(0.3)
    assert short == pytest.approx(0.1 * 240, abs=3)
    assert long == pytest.approx(0.3 * 240, abs=3)
    assert area < 0.3 * (0.3 * 240) ** 2


def test_no_arrow_lies_beyond_the_picture_or_ends_on_what_is_covered():
    covered = np.zeros(SHAPE, dtype=bool)
    covered[:100] = covered[150:] = True
    ids = draw_discs()
    ids[covered] = 0
    strokes = [draw(seed, ids, covered, arrows=1, arrow_length=0.1) for seed in range(12)]
    assert all(not ink[covered].any() for ink in strokes)
    assert draw(0, ids, np.ones(SHAPE, dtype=bool), arrows=1) is None
    full = np.ones(SHAPE, dtype=np.uint16)
    assert draw(0, full, arrows=1) is None, "beside a particle that fills the picture there is no room"


@pytest.mark.parametrize(
    ("name", "technique", "material", "background"),
    [
        ("SEM", "scanning_electron_microscope", "sem_particle", "sem_ground"),
        ("TEM", "transmission_electron_microscope", "tem_particle", "tem_film"),
    ],
)
def test_arrows_have_the_shade_of_the_strokes_and_cover_no_label(name, technique, material, background):
    def stage(**features):
        beads = [[0, 0, 1, 2], [3, 3, 1, 2], [-3, 2, 1, 2]]
        return staged_beads.stage_beads(
            beads, name=name, technique=technique, material=material, background=background, subdivisions=3, **features
        )

    plain, scene = stage(), stage(arrows=2, arrow_length=0.2, overlay_shade=0.0)
    before, after = staged_beads.take_picture(plain), staged_beads.take_picture(scene)
    assert (after[before != after] < before[before != after]).all()
    assert (after[before != after] == 0).sum() > 20
    assert 0 < (before != after).mean() < 0.05
    assert TECHNIQUES[technique].find_overlay_pixels(scene.technique, scene.seed) is None
    marked = stage(inset_frame=0.2, inset=0.3)
    covered = TECHNIQUES[technique].find_overlay_pixels(marked.technique, marked.seed)
    assert 0.03 < covered.mean() < 0.1


DIGEST = """
import hashlib, numpy as np
from functools import partial
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.randomness.streams import Stream
from synth_renderer.techniques.imaging.arrows import draw_arrows
from synth_renderer.techniques.imaging.overlays import draw_overlay
features = {name: feature.default for name, feature in TECHNIQUES["scanning_electron_microscope"].features.items()}
features |= {"arrows": 9, "inset_frame": 0.2, "inset": 0.35}
rows, columns = np.indices((240, 320))
ids = (1 + rows // 60 + 4 * (columns // 60)) * ((rows % 60 - 30) ** 2 + (columns % 60 - 30) ** 2 < 350)
digest = hashlib.sha256()
for seed in range(20):
    create_stream = partial(Stream, seed, "step", "SEM")
    grey = (rows * columns % 251 / 250).astype(np.float32)
    overlay = draw_overlay(features, grey.shape, 0.1, create_stream, lambda draws: ())
    overlay.draw_on(grey)
    digest.update(grey.tobytes())
    arrows = draw_arrows(features, ids.astype(np.uint16), overlay.find_covered_pixels(), create_stream("arrows"))
    digest.update(arrows.tobytes())
print(digest.hexdigest())
"""


def test_masked_processor_features_change_no_bit_of_arrows_and_insets(generic_processor):
    def digest(**masks: str) -> str:
        command = [sys.executable, "-W", "ignore", "-c", DIGEST]
        return subprocess.run(command, env=os.environ | masks, capture_output=True, text=True, check=True).stdout

    assert digest(**generic_processor) == digest()
