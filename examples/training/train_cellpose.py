"""Fine-tune cellpose on an export of synth-operator: python train_cellpose.py EXPORT HELD_OUT [WEIGHTS]

EXPORT and HELD_OUT are folders that `synth export --format pairs` wrote. WEIGHTS is a name or a file of
cellpose's weights; cellpose downloads the default ones at the first use.
"""

import sys

import numpy as np
from cellpose import metrics, models, train
from cellpose.io import load_images_labels

export, held_out = sys.argv[1:3]
weights = sys.argv[3] if len(sys.argv) > 3 else "cpsam_v2"
images, masks, _ = load_images_labels(f"{export}/train", mask_filter="_masks", image_filter="_img")
model = models.CellposeModel(pretrained_model=weights, gpu=False)
train.train_seg(model.net, train_data=images, train_labels=masks, n_epochs=20, batch_size=1, model_name="particles")
images, masks, _ = load_images_labels(f"{held_out}/train", mask_filter="_masks", image_filter="_img")
found, *_ = model.eval(images)
precision, *_ = metrics.average_precision(masks, found, threshold=[0.5])
print(f"{len(images)} held-out runs: average precision {np.mean(precision):.3f} at IoU 0.5")
