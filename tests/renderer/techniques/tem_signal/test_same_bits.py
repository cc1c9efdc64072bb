"""Film, lens, beam and camera are the same on every processor."""

import os
import subprocess
import sys

import pytest

RECORD = """
import hashlib, numpy as np
from synth_renderer.techniques.tem_signal import beam, electron_camera, lens, speckle, support_film
key_of = lambda name: np.uint64(sum(name.encode()))
film = support_film.tilt_film(96, 128, 0.2, 35.0)
film = support_film.roughen_film(film, key_of("texture"), 0.1, 30.0)
film = support_film.fold_film(film, key_of("folds"), 2.0, 6.0)
film = support_film.soil_film(film, key_of("dirt"), 0.05, 10.0, 2.0)
digest = hashlib.sha256()
for is_lacey in (False, True):
    pierced = support_film.pierce_film(film, key_of("holes"), 0.4, 40.0, 0.5, is_lacey=is_lacey)
    pierced = support_film.tear_film(pierced, key_of("edge"), 0.2, 35.0, 0.5)
    phase = 2 * pierced + speckle.draw_phase_speckle(pierced, key_of("speckle"), 0.3)
    light = beam.shade_beam((1 / (1 + pierced)).astype(np.float32), 0.3, 0.6, 0.1, 20.0)
    image = lens.form_image(light, phase, lens.Lens(lens.compute_wavelength(200.0), 900.0, 1.2, 0.2), 0.5)
    for kind in electron_camera.CAMERAS:
        digest.update(electron_camera.record_electrons(image, key_of, kind, 60.0, 2.0, 0.01).tobytes())
print(digest.hexdigest())
"""


def digest(**masks: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", RECORD]
    return subprocess.run(command, env=os.environ | masks, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_masked_processor_features_change_no_bit(generic_processor) -> None:
    assert digest(**generic_processor) == digest()
