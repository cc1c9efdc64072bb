from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synth_api.prototypes.feature import FeatureType
from synth_dataset.documents.particle_table import (
    COLUMNS,
    build_feature_table,
    build_particle_table,
    read_table,
    restore_digest_columns,
    write_table,
)
from synth_dataset.views.index import write_index

CONTRACT = """id name blueprint x y z qw qx qy qz size_x size_y size_z column row box_left box_top box_right box_bottom
visible_px amodal_px visible_fraction equivalent_diameter feret_min feret_max volume surface touches_border"""
EXPECTED = CONTRACT.split()
SCALE = {"scale": FeatureType.FLOAT}


def all_of(values) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(values)
    return array, np.ones(len(array), dtype=bool)


def columns(count: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    texts = np.array(["Bead"] * count, dtype=object)
    return {
        name: all_of(texts) if kind == pa.string() else all_of(np.arange(count).astype(str(kind)))
        for name, (kind, _, _) in COLUMNS.items()
    }


def test_the_columns_come_first_in_their_order_then_one_per_feature() -> None:
    features = {
        "location": all_of([[1.0, 2.0, 3.0]] * 2),
        "colour": all_of([[0.1, 0.2, 0.3, 1.0]] * 2),
        "subdivisions": all_of([1, 2]),
    }
    parts = [*(f"colour.{part}" for part in "rgba"), *(f"location.{part}" for part in "xyz")]
    types = dict.fromkeys(parts, FeatureType.FLOAT) | {"subdivisions": FeatureType.INT}
    table = build_particle_table(columns(2), features, types)
    assert table.column_names == [
        *EXPECTED,
        *(f"feature.colour.{part}" for part in "rgba"),
        *(f"feature.location.{part}" for part in "xyz"),
        "feature.subdivisions",
    ]
    assert table["feature.location.y"].to_pylist() == [2.0, 2.0]
    assert table["feature.subdivisions"].to_pylist() == [1, 2]


def test_numbers_keep_their_types() -> None:
    schema = build_particle_table(columns(1), {}, {}).schema
    assert schema.field("id").type == pa.int32()
    assert schema.field("x").type == pa.float64()
    assert schema.field("visible_px").type == pa.int64()
    assert schema.field("touches_border").type == pa.bool_()


def test_unknown_values_are_null() -> None:
    given = columns(2) | {"box_left": (np.array([4, -1]), np.array([True, False]))}
    table = build_particle_table(given, {"scale": (np.array([0.5, np.nan]), np.array([True, False]))}, SCALE)
    assert table["box_left"].to_pylist() == [4, None]
    assert table["feature.scale"].to_pylist() == [0.5, None]


def test_every_column_has_unit_and_meaning(tmp_path: Path) -> None:
    write_table(tmp_path / "particles.parquet", build_particle_table(columns(1), {}, {}))
    schema = read_table(tmp_path / "particles.parquet").schema
    assert schema.field("x").metadata[b"unit"] == b"scene units"
    assert all(schema.field(name).metadata[b"meaning"] for name in EXPECTED)


def test_no_particles_give_a_table_without_rows(tmp_path: Path) -> None:
    write_table(tmp_path / "particles.parquet", build_particle_table(columns(0), {}, {}))
    table = read_table(tmp_path / "particles.parquet")
    assert table.num_rows == 0
    assert table.column_names == EXPECTED


def test_features_of_different_types_become_text() -> None:
    mixed = np.array(["red", 3, None], dtype=object)
    table = build_particle_table(
        columns(3), {"tag": (mixed, np.array([True, True, False]))}, {"tag": FeatureType.STRING}
    )
    assert table["feature.tag"].to_pylist() == ["red", "3", None]


def test_a_run_without_a_feature_of_its_recipe_has_nulls_in_its_column() -> None:
    table = build_particle_table(columns(2), {}, SCALE)
    assert table["feature.scale"].to_pylist() == [None, None]
    assert table.schema == build_particle_table(columns(1), {"scale": all_of([0.5])}, SCALE).schema


@pytest.mark.parametrize(
    ("values", "kind", "stored", "covered"),
    [
        ([1, 2, None], FeatureType.FLOAT, [1.0, 2.0, None], pa.array([1, 2, None])),
        ([0.1, 2.0, None], FeatureType.FLOAT, [0.1, 2.0, None], pa.array([0.1, 2.0, None])),
        ([1, 2.0, None], FeatureType.FLOAT, [1.0, 2.0, None], pa.array(["1", "2.0", None])),
        ([1, 2, None], FeatureType.STRING, ["1", "2", None], pa.array([1, 2, None])),
        ([0.1, 1e300], FeatureType.STRING, ["0.1", "1e+300"], pa.array([0.1, 1e300])),
        ([True, False, None], FeatureType.STRING, ["True", "False", None], pa.array([True, False, None])),
        (["a", 1, True], FeatureType.STRING, ["a", "1", "True"], pa.array(["a", "1", "True"])),
        ([(0.5, 1.0), None], FeatureType.STRING, ["(0.5, 1.0)", None], pa.array(["(0.5, 1.0)", None])),
        ([None, None], FeatureType.INT, [None, None], pa.array([None, None], pa.string())),
    ],
)
def test_a_column_has_the_type_of_its_recipe_and_the_digest_that_of_its_values(
    values: list[object], kind: FeatureType, stored: list[object], covered: pa.Array, tmp_path: Path
) -> None:
    given = np.empty(len(values), dtype=object)
    given[:] = values
    feature = given, np.array([value is not None or all(v is None for v in values) for value in values])
    write_table(tmp_path / "table", build_particle_table(columns(len(values)), {"tag": feature}, {"tag": kind}))
    table = read_table(tmp_path / "table")
    assert table["feature.tag"].to_pylist() == stored
    assert restore_digest_columns(table)["feature.tag"].combine_chunks() == covered


def test_the_digest_covers_features_that_particles_have_only(tmp_path: Path) -> None:
    types = {"absent": FeatureType.INT, "scale": FeatureType.FLOAT}
    write_table(tmp_path / "table", build_particle_table(columns(2), {"scale": all_of([0.5, 1.0])}, types))
    assert restore_digest_columns(read_table(tmp_path / "table")).column_names == [*EXPECTED, "feature.scale"]


def test_the_digest_covers_all_columns_of_a_table_of_an_earlier_release() -> None:
    table = pa.table({"id": [1], "feature.scale": pa.array([None], pa.float64())})
    assert restore_digest_columns(table) == table


def test_the_feature_file_names_objects_and_features() -> None:
    table = build_feature_table(["Bead.000", "Bead.001"], {"dimensions": all_of([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])})
    assert table.to_pylist()[1] == {"name": "Bead.001", "dimensions.x": 4.0, "dimensions.y": 5.0, "dimensions.z": 6.0}


@pytest.mark.parametrize("name", ["a:b", "s3:", "x#1 ?%20{y}", "$z~"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name, "particles.parquet")
    path.parent.mkdir()
    write_table(path, build_particle_table(columns(1), {}, {}))
    assert read_table(path).num_rows == 1
    assert write_index(path, (), ()).runs == 0


def test_a_full_disk_is_an_error(full_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_table(full_disk, build_particle_table(columns(1), {}, {}))


def test_only_runs_with_a_minimum_visible_fraction_have_the_column_labelled() -> None:
    chosen = columns(2) | {"labelled": all_of([True, False])}
    table = build_particle_table(chosen, {"grey": all_of([0.1, 0.2])}, {"grey": FeatureType.FLOAT})
    assert table.column_names == [*EXPECTED, "labelled", "feature.grey"]
    assert table["labelled"].to_pylist() == [True, False]
