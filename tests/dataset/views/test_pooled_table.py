"""`particles.parquet` of a dataset: the rows of all runs, whatever columns their tables have."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_api.prototypes.feature import FeatureType
from synth_dataset.documents.particle_table import COLUMNS, OPTIONAL_COLUMNS, build_particle_table
from synth_dataset.views import pooled_table
from synth_dataset.views.pooled_table import PooledTable, RunRows

RUN = ["run", "key", "split"]


def table_of(rows: int, features: dict[str, pa.Array], *optional: str) -> pa.Table:
    """Table of a run: fixed columns of nulls, then these features."""
    fixed = {name: pa.nulls(rows, kind) for name, (kind, _, _) in COLUMNS.items()}
    more = {name: pa.nulls(rows, OPTIONAL_COLUMNS[name][0]) for name in optional}
    return pa.table(fixed | {"id": pa.array(range(1, rows + 1), pa.int32())} | more | features)


def rows_of(run: int, table: pa.Table) -> RunRows:
    return RunRows(((run, f"{run:064x}", ["train", "test", None][run % 3]),), (len(table),), table)


def pool(folder: Path, *tables: pa.Table) -> pq.ParquetFile:
    folder.mkdir(exist_ok=True)
    pooled = PooledTable(folder)
    for run, table in enumerate(tables):
        pooled.add(rows_of(run, table))
    pooled.write(folder / "particles.parquet")
    assert [path.name for path in folder.iterdir()] == ["particles.parquet"]
    return pq.ParquetFile(folder / "particles.parquet")


def test_each_particle_has_the_run_key_and_split_of_its_run(tmp_path: Path) -> None:
    table = pool(tmp_path, table_of(2, {}), table_of(0, {}), table_of(1, {})).read()
    assert table.column_names == [*RUN, *COLUMNS]
    assert table.select([*RUN, "id"]).to_pylist() == [
        {"run": 0, "key": f"{0:064x}", "split": "train", "id": 1},
        {"run": 0, "key": f"{0:064x}", "split": "train", "id": 2},
        {"run": 2, "key": f"{2:064x}", "split": None, "id": 1},
    ]
    assert table.schema.field("x").metadata[b"unit"] == b"scene units"


def test_a_dataset_without_particles_has_the_fixed_columns(tmp_path: Path) -> None:
    table = pool(tmp_path).read()
    assert table.column_names == [*RUN, *COLUMNS]
    assert table.num_rows == 0


def test_columns_that_some_runs_lack_are_null_and_in_the_order_of_a_table(tmp_path: Path) -> None:
    numbers = pa.array([1.5, 2.5])
    tables = [
        table_of(2, {"feature.size.y": numbers, "feature.width": numbers}),
        table_of(2, {"feature.size.x": numbers, "feature.size.y": numbers, "feature.tint.a": numbers}),
        table_of(2, {"feature.tint.r": numbers, "feature.tint.a": numbers}, "labelled"),
        table_of(2, {}),
    ]
    table = pool(tmp_path, *tables).read()
    features = ["size.x", "size.y", "tint.r", "tint.a", "width"]
    assert table.column_names == [*RUN, *COLUMNS, "labelled", *(f"feature.{name}" for name in features)]
    assert table["run"].to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table["feature.size.x"].to_pylist() == [None, None, 1.5, 2.5, None, None, None, None]
    assert table["feature.width"].to_pylist() == [1.5, 2.5, None, None, None, None, None, None]


@pytest.mark.parametrize(
    ("one", "other", "values"),
    [
        (pa.array([1]), pa.array([0.5]), [1.0, 0.5]),
        (pa.array(["red"]), pa.array([3]), ["red", "3"]),
        (pa.array([True]), pa.array([2]), ["true", "2"]),
    ],
)
def test_a_column_of_two_types_is_a_number_or_text(
    tmp_path: Path, one: pa.Array, other: pa.Array, values: list
) -> None:
    table = pool(tmp_path, table_of(1, {"feature.tag": one}), table_of(1, {"feature.tag": other})).read()
    assert table["feature.tag"].to_pylist() == values


def test_what_a_run_says_of_its_digest_is_left_out(tmp_path: Path) -> None:
    fixed = {
        name: (np.array([None], object) if kind == pa.string() else np.ones(1, str(kind)), np.ones(1, bool))
        for name, (kind, _, _) in COLUMNS.items()
    }
    run = build_particle_table(fixed, {}, {"size": FeatureType.FLOAT})
    assert run.schema.field("feature.size").metadata
    assert pool(tmp_path, run).read().schema.field("feature.size").metadata is None


def test_a_row_group_ends_with_the_run_that_fills_it_however_many_runs_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled_table, "MAX_ROWS", 10)
    tables = [table_of(rows, {}) for rows in (4, 0, 7, 3, 12, 0, 5, 1)]
    one_by_one = pool(tmp_path / "one", *tables)
    pooled = PooledTable(tmp_path)
    cells = tuple(rows_of(run, table).runs[0] for run, table in enumerate(tables))
    pooled.add(RunRows(cells, tuple(map(len, tables)), pa.concat_tables(tables)))
    pooled.write(tmp_path / "together")
    together = pq.ParquetFile(tmp_path / "together")
    assert [together.metadata.row_group(group).num_rows for group in range(together.num_row_groups)] == [11, 15, 6]
    assert (tmp_path / "together").read_bytes() == (tmp_path / "one" / "particles.parquet").read_bytes()
    assert one_by_one.read().equals(together.read())


def test_memory_holds_one_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled_table, "MAX_ROWS", 10)
    pooled, before = PooledTable(tmp_path), pa.total_allocated_bytes()
    for run in range(100):
        pooled.add(rows_of(run, table_of(4, {"feature.size": pa.array([0.5] * 4)})))
    gc.collect()
    assert pa.total_allocated_bytes() - before < 100_000
    pooled.write(tmp_path / "particles.parquet")
    file = pq.ParquetFile(tmp_path / "particles.parquet")
    assert {file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)} == {12, 4}
    assert file.metadata.num_rows == 400
