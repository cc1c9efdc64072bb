"""The label digest depends on what labels say, never on how their files are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_dataset.documents.label_digest import compute_folder_digest, compute_label_digest
from synth_dataset.documents.pictures import write_png

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(7)
PICTURES: dict[str, Any] = {
    "instances.png": RANDOM.integers(0, 700, (12, 9), np.uint16),
    "categorical.png": RANDOM.integers(0, 256, (12, 9, 3), np.uint8),
    "depth_map/00001.png": RANDOM.integers(0, 65536, (12, 9), np.uint16),
    "normal_map.png": RANDOM.integers(0, 65536, (12, 9, 3), np.uint16),
}
TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int32()),
        "name": pa.array(["Bead.0", "Bead.1", None]),
        "x": pa.array([0.1, float("nan"), None], pa.float64()),
        "feature.size": pa.array([0.1, float("nan"), None], pa.float32()),
        "touches_border": pa.array([True, False, None]),
        "box_left": pa.array([0, None, 5], pa.int32()),
    }
)
ANNOTATIONS = {"width": 9, "height": 12, "particles": [{"id": 1, "area": 3, "visible_fraction": 1 / 3}]}


def digest(**changes: Any) -> str:
    return compute_label_digest(**{"pictures": PICTURES, "table": TABLE, "annotations": ANNOTATIONS, **changes})


def column(name: str, values: list[Any]) -> pa.Table:
    index = TABLE.column_names.index(name)
    return TABLE.set_column(index, name, pa.array(values, TABLE.schema.field(name).type))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "depth_map").mkdir()
    for path, pixels in PICTURES.items():
        write_png(tmp_path / path, pixels)
    pq.write_table(TABLE, tmp_path / "particles.parquet")
    (tmp_path / "annotations.json").write_text(json.dumps(ANNOTATIONS))
    return tmp_path


def test_files_have_the_digest_of_their_data(folder):
    assert compute_folder_digest(folder) == digest()


def test_compression_and_layout_of_files_do_not_count(folder):
    for path, pixels in PICTURES.items():
        cv2.imwrite(
            str(folder / path), pixels[..., ::-1] if pixels.ndim == 3 else pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9]
        )
    pq.write_table(TABLE, folder / "particles.parquet", compression="gzip", row_group_size=1, use_dictionary=False)
    text = json.dumps(dict(reversed(ANNOTATIONS.items())), indent=4)
    (folder / "annotations.json").write_text(text)
    assert compute_folder_digest(folder) == digest()


@pytest.mark.parametrize("path", PICTURES)
def test_one_changed_pixel_counts(path):
    changed = PICTURES[path].copy()
    changed.flat[17] ^= 1
    assert digest(pictures={**PICTURES, path: changed}) != digest()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", [1, 2, 4]),
        ("name", ["Bead.0", "Bead.2", None]),
        ("name", ["Bead.0", "Bead.1", ""]),
        ("x", [0.1000000000000001, float("nan"), None]),
        ("x", [0.1, None, None]),
        ("x", [0.1, float("nan"), 0.0]),
        ("x", [0.1, float("nan"), float("nan")]),
        ("feature.size", [0.10000001, float("nan"), None]),
        ("feature.size", [0.1, 0.0, None]),
        ("touches_border", [True, False, False]),
        ("box_left", [0, 0, 5]),
    ],
)
def test_one_changed_value_counts(name, values):
    assert digest(table=column(name, values)) != digest()


def test_the_shape_type_and_name_of_a_picture_count():
    instances = PICTURES["instances.png"]
    for other in (instances.reshape(9, 12), instances.astype(np.uint32), instances.T):
        assert digest(pictures={**PICTURES, "instances.png": other}) != digest()
    renamed = {"x.png" if path == "instances.png" else path: pixels for path, pixels in PICTURES.items()}
    assert digest(pictures=renamed) != digest()


def test_columns_and_annotations_count():
    assert digest(table=TABLE.drop_columns(["x"])) != digest()
    assert digest(table=TABLE.rename_columns({"x": "y"})) != digest()
    assert digest(annotations={**ANNOTATIONS, "width": 10}) != digest()
