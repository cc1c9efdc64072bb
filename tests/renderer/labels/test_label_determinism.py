"""The label pass gives the same bits on every processor."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

DIGEST = """
import hashlib, io
import numpy as np
from synth_renderer.geometry import prototypes
from synth_renderer.labels.masks import find_visible_masks
from synth_renderer.labels.measure import measure_bodies
from synth_renderer.labels.modes import PICTURES, LabelView
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.stl import write_stl
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.camera import Camera

number = 40
words = np.random.Philox(key=7).random_raw(number * 10).reshape(number, 10)
u = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
quaternions = u[:, :4] - 0.5
squares = quaternions * quaternions
length = np.sqrt(squares[:, 0] + squares[:, 1] + squares[:, 2] + squares[:, 3])
bodies = Bodies(
    (prototypes.build_mesh("sphere", 1), prototypes.build_mesh("ellipsoid", 1)),
    (np.arange(number) % 2).astype(np.int32),
    1 + 4 * u[:, 4:7],
    quaternions / length[:, None],
    20 * u[:, 7:10] - 10,
    np.zeros(number, dtype=bool),
)
digest = hashlib.sha256()
turned = (0.8, 0.4, 0.4, 0.2)
for camera in (Camera(160, 160, (0.0, 0.0, 40.0), ortho_scale=20.0), Camera(160, 120, (24.0, -14.4, 10.8), turned)):
    fragments = rasterise_bodies(bodies, camera)
    view = LabelView.from_fragments(fragments)
    assert (view.surface.ids > 0).mean() > 0.2
    for array in (fragments.start, fragments.pixel, fragments.depth, fragments.normal):
        digest.update(array.tobytes())
    for picture in PICTURES.values():
        digest.update(picture(view).tobytes())
    masks = find_visible_masks(fragments, view.surface)
    for column in vars(measure_bodies(fragments, masks, camera, bodies.locations)).values():
        digest.update(column.tobytes())
file = io.BytesIO()
write_stl(file, bodies, range(number))
digest.update(file.getvalue())
sizes = (1 + 4 * u[:, 4:7]).tolist()
digest.update(repr([prototypes.compute_surface("ellipsoid", size) for size in sizes]).encode())
print(digest.hexdigest())
"""


def digest(environment: dict[str, str]) -> str:
    run = subprocess.run(
        [sys.executable, "-c", DIGEST], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.mark.slow
def test_masked_processor_features_change_no_bit(generic_processor: dict[str, str]) -> None:
    assert digest(generic_processor) == digest({})
