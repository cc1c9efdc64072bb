"""The image of the small Jobs has no OpenCV: every format is written without it, with the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXPORT = """
import sys
sys.modules.update(cv2=None, PIL=None, scipy=None, numba=None)
from pathlib import Path
from synth_dataset.attempts.dataset_source import find_source
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import Target
from synth_dataset.store.folder_store import FolderStore

store, out = map(Path, sys.argv[1:])
source = find_source(FolderStore(store), None)
for number, (name, layout) in enumerate(FORMATS):
    options = ExportOptions(name, layout=layout, min_area=100, pictures=("depth_map",))
    prepare_export([source], options, Target(FolderStore(out / str(number)))).write()
"""
FORMATS = [(name, "cellpose") for name in ("coco", "yolo", "pairs", "webdataset", "huggingface")]
FORMATS.append(("pairs", "stardist"))


@pytest.fixture
def exports_of_the_image(discs, tmp_path: Path) -> Path:
    """The folder of exports by a process that has only the libraries of the image."""
    program = EXPORT.replace("FORMATS", repr(FORMATS))
    folder = tmp_path / "image"
    subprocess.run([sys.executable, "-c", program, discs.store.root, folder], check=True, timeout=300)
    return folder


def test_no_format_needs_opencv(discs, export, tree_of, exports_of_the_image) -> None:
    for number, (name, layout) in enumerate(FORMATS):
        out = f"{name}-{layout}"
        expected = tree_of(export(discs, out=out, format=name, layout=layout, min_area=100, pictures=("depth_map",)))
        assert tree_of(exports_of_the_image / str(number)) == expected
