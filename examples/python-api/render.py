"""Render one run, read its labels, and draw the outline of each particle: python render.py FOLDER."""

import sys

import cv2
import numpy as np

from synth_renderer import render

folder = sys.argv[1]
overrides = ["blueprints.particles.Bead.number=120"]
overrides += ["+blueprints.measurement_techniques.SEM.features.resolution_percentage=50"]
run = render("../../recipes/spheres_sem_signal.yaml", folder, overrides)

ids = cv2.imread(f"{folder}/instances.png", cv2.IMREAD_UNCHANGED)  # (H, W) uint16, 0 is background
overlay = cv2.imread(f"{folder}/real.png")  # (H, W, 3) uint8
for number in np.unique(ids)[1:]:
    outlines, _ = cv2.findContours((ids == number).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(overlay, outlines, -1, (80, 200, 255), 1)
cv2.imwrite(f"{folder}/overlay.png", overlay)
print(f"{run.visible} of {run.particles} particles visible, labels {run.label_digest[:12]}")
