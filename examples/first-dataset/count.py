"""Print the particles and the covered share of each run of a dataset: python count.py DATASET."""

import json
import sys
from pathlib import Path

import cv2
import pyarrow.parquet as pq

root = Path(sys.argv[1])
[document] = root.glob("sweeps/*/*/dataset.json")
folder = root / json.loads(document.read_text())["folder"]
for run in pq.read_table(folder / "index.parquet").to_pylist():
    ids = cv2.imread(str(root / run["folder"] / "instances.png"), cv2.IMREAD_UNCHANGED)
    print(f"run {run['run']}: {run['visible']} of {run['particles']} particles visible, {(ids > 0).mean():.0%} covered")
