"""Train a U-Net on an export of synth-operator, on the CPU, and score it on a held-out sweep.

    python train_unet.py EXPORT HELD_OUT [--steps 300]

EXPORT and HELD_OUT are folders that `synth export --format huggingface` or `--format webdataset` wrote.
"""

import argparse
import time
from glob import glob
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional

CROP, BATCH = 96, 8
BACKGROUND, INSIDE, EDGE = range(3)


def read_huggingface(folder):
    """Yield picture and ids, each (H, W), of every run."""
    from datasets import concatenate_datasets, load_dataset

    for row in concatenate_datasets(list(load_dataset(folder).values())):
        yield np.array(row["image"]), np.array(row["instances"])


def read_webdataset(folder):
    """Yield picture and ids, each (H, W), of every run."""
    from webdataset import WebDataset

    for sample in WebDataset(sorted(glob(f"{folder}/*.tar")), shardshuffle=False).decode("l8"):
        yield sample["image.png"], sample["instances.npy"]


def read_runs(folder):
    """Return pictures and ids of all runs, in whichever of the two formats."""
    pairs = list((read_huggingface if Path(folder, "data").is_dir() else read_webdataset)(folder))
    pictures = [torch.from_numpy((picture / 255).astype(np.float32)) for picture, _ in pairs]
    return pictures, [ids.astype(np.int32) for _, ids in pairs]


def find_classes(ids):
    """Return the class of each pixel: background, inside of a particle, or its edge, which parts it from others."""
    classes = np.where(ids > 0, INSIDE, BACKGROUND)
    classes[(ndimage.grey_erosion(ids, 3) != ndimage.grey_dilation(ids, 3)) & (ids > 0)] = EDGE
    return torch.from_numpy(classes.astype(np.float32))


def make_block(inputs, outputs):
    """Return two convolutions of 3 x 3."""
    layers = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Three levels, (N, 1, H, W) -> (N, 3, H, W); H and W are multiples of 8."""

    def __init__(self, width=16):
        super().__init__()
        sizes = [width, 2 * width, 4 * width]
        self.down = nn.ModuleList(map(make_block, [1, *sizes], [*sizes, 8 * width]))
        self.up = nn.ModuleList(make_block(3 * size, size) for size in reversed(sizes))
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, x):
        """Return the score of each class at each pixel."""
        skips = []
        for block in self.down[:-1]:
            skips.append(block(x))
            x = functional.max_pool2d(skips[-1], 2)
        x = self.down[-1](x)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2), skip], 1))
        return self.head(x)


def draw_batch(pictures, classes, rng):
    """Return random crops of random runs, turned and mirrored."""
    crops = []
    for run in rng.integers(len(pictures), size=BATCH):
        height, width = pictures[run].shape
        top, left = rng.integers(height - CROP + 1), rng.integers(width - CROP + 1)
        pair = torch.stack([pictures[run], classes[run]])[:, top : top + CROP, left : left + CROP]
        pair = torch.rot90(pair, int(rng.integers(4)), (1, 2))
        crops.append(pair.flip(2) if rng.integers(2) else pair)
    batch = torch.stack(crops)
    return batch[:, :1], batch[:, 1].long()


def train(network, pictures, classes, steps):
    """Train for so many batches."""
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    weights = torch.tensor([1.0, 1.0, 2.0])
    for step in range(1, steps + 1):
        images, targets = draw_batch(pictures, classes, rng)
        loss = functional.cross_entropy(network(images), targets, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step}, loss {loss.item():.3f}", flush=True)


def find_particles(network, picture):
    """Return the ids (H, W) that the network finds: connected insides, grown by the edge of one pixel."""
    height, width = picture.shape
    padded = functional.pad(picture, (0, -width % 8, 0, -height % 8))
    with torch.no_grad():
        found = network(padded[None, None])[0].argmax(0)[:height, :width].numpy()
    ids = ndimage.label(found == INSIDE)[0]
    return np.where(found == EDGE, ndimage.grey_dilation(ids, 3), ids)


def count_matches(found, ids):
    """Return particles of the labels, particles found, and pairs of both with an IoU above 0.5."""
    shared = np.zeros((found.max() + 1, ids.max() + 1))
    np.add.at(shared, (found, ids), 1)
    union = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    return len(np.unique(ids)) - 1, len(np.unique(found)) - 1, int((shared / union > 0.5)[1:, 1:].sum())


def main():
    """Train, score, and print the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export")
    parser.add_argument("held_out")
    parser.add_argument("--steps", type=int, default=300, help="batches of training")
    options = parser.parse_args()
    torch.manual_seed(0)
    pictures, ids = read_runs(options.export)
    network = UNet()
    train(network, pictures, list(map(find_classes, ids)), options.steps)
    network.eval()
    pictures, ids = read_runs(options.held_out)
    pairs = zip(pictures, ids, strict=True)
    truth, found, hits = np.sum([count_matches(find_particles(network, one), labels) for one, labels in pairs], 0)
    score = f"{len(pictures)} held-out runs: {truth} particles, {found} found, F1 {2 * hits / (truth + found):.3f}"
    print(f"{score}; {time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    main()
