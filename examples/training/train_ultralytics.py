"""Train a small YOLO on an export of synth-operator: python train_ultralytics.py EXPORT [EPOCHS]

EXPORT is a folder that `synth export --format yolo` wrote. ultralytics has the licence AGPL-3.0.
"""

import sys
from pathlib import Path

from ultralytics import YOLO

export, epochs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50
model = YOLO("yolo11n-seg.yaml")  # without downloaded weights; "yolo11n-seg.pt" starts from them
runs = str(Path("runs").resolve())  # ultralytics puts a relative folder elsewhere
data = str((export / "data.yaml").resolve())
options = {"data": data, "imgsz": 256, "device": "cpu", "workers": 0, "plots": False, "project": runs}
model.train(epochs=epochs, batch=8, seed=0, **options)
scores = model.val(max_det=1000, **options)
print(f"masks: mAP50 {scores.seg.map50:.3f}, mAP50-95 {scores.seg.map:.3f}")
