"""Fit n = k (Rg / a)^D to the agglomerates of a dataset, by run and of all: python measure.py DATASET."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

root = Path(sys.argv[1])
[document] = root.glob("sweeps/*/*/dataset.json")
table = pq.read_table(root / json.loads(document.read_text())["folder"] / "particles.parquet")
grouped = table.group_by(["run", "agglomerate"]).aggregate(
    [("primaries", "min"), ("gyration_radius", "min"), ("size_x", "mean")]
)
run, primaries, gyration, size = (
    grouped[name].to_numpy() for name in ("run", "primaries_min", "gyration_radius_min", "size_x_mean")
)
for number in np.unique(run):
    print(f"run {number}: {(run == number).sum()} agglomerates of {np.sort(primaries[run == number])} spheres")
large = primaries >= 5
slope, offset = np.polyfit(np.log(primaries[large]), np.log(gyration[large] / (size[large] / 2)), 1)
print(f"{large.sum()} agglomerates of 5 spheres or more: D = {1 / slope:.2f}, k = {np.exp(-offset / slope):.2f}")
