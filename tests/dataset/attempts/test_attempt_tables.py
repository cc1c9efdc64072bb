"""Particle tables that batches keep for the commit: it writes the same dataset with and without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_api.prototypes.feature import FeatureType
from synth_dataset.attempts.attempt_tables import AttemptTables, keep_batch_tables
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.attempts.run_stream import iterate_runs
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.particle_table import COLUMNS, build_particle_table, write_table
from synth_dataset.store.batch_tables import open_batch_tables, write_batch_tables
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.dataset_document import DatasetDocument

RUNS = 6


class CountingStore(FolderStore):
    """Store that lists the particle tables of runs that it has read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.tables: list[str] = []

    def read(self, path: str) -> bytes:
        if path.startswith(layout.RUNS) and path.endswith(layout.PARTICLES):
            self.tables.append(path)
        return super().read(path)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path / "store")


@pytest.fixture
def sweep(store: CountingStore, record_of: Callable[..., Any], sweep_of: Callable[..., Any]) -> Any:
    """A sweep of RUNS runs in the store; run n has n particles, which in odd ones have a size."""
    sweep = sweep_of(*range(RUNS))
    for number in range(RUNS):
        commit_run(store, record_of(sweep.key(number), seed=number, particles=number), build_table(number))
    return sweep


def build_table(rows: int, **features: FeatureType) -> pa.Table:
    fixed = {
        name: (np.array(["particle"] * rows, object) if kind == pa.string() else np.full(rows, rows, str(kind)),)
        for name, (kind, _, _) in COLUMNS.items()
    }
    columns = {name: (values, np.ones(rows, bool)) for name, (values,) in fixed.items()}
    size = {"size": (np.full(rows, 0.5), np.ones(rows, bool))} if rows % 2 else {}
    return build_particle_table(columns, size, {"size": FeatureType.FLOAT, **features})


def commit_run(store: CountingStore, record: Any, table: pa.Table) -> None:
    with store.open_scratch("run") as folder:
        (folder / layout.ANNOTATIONS).write_text('{"width": 4, "height": 4, "particles": []}')
        write_table(folder / layout.PARTICLES, table)
        store.commit_run(folder, record)


def keep_tables(store: CountingStore, attempt: StoredAttempt, sweep: Any, *batches: tuple[int, ...]) -> None:
    for batch, runs in enumerate(batches):
        keep_batch_tables(store, layout.batch_tables_path(attempt.path, batch), [(run, sweep.key(run)) for run in runs])
    store.tables.clear()


def read_pooled(store: CountingStore, dataset: DatasetDocument) -> bytes:
    return store.read(f"{dataset.folder}/{layout.PARTICLES}")


def commit(store: CountingStore, attempt: StoredAttempt) -> DatasetDocument:
    return commit_dataset(store, attempt, [], ())


def test_a_commit_reads_the_tables_of_batches_and_writes_the_same_dataset(store: CountingStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    before = read_pooled(store, commit(store, attempt))
    assert len(store.tables) == RUNS
    keep_tables(store, attempt, sweep, (4, 1, 3), (0, 5, 2))

    dataset = commit(store, attempt)

    assert store.tables == []
    assert read_pooled(store, dataset) == before
    table = pq.read_table(pa.BufferReader(before))
    assert table["run"].to_pylist() == [run for run in range(RUNS) for _ in range(run)]
    assert table["feature.size"].to_pylist() == [0.5 if run % 2 else None for run in range(RUNS) for _ in range(run)]


def test_the_files_of_the_batches_go_with_the_commit(store: CountingStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    keep_tables(store, attempt, sweep, (0, 1), (2, 3))
    assert store.exists(layout.batch_tables_path(attempt.path, 1))
    commit(store, attempt)
    assert [path for path in store.iterate_files(attempt.path) if path.endswith(layout.TABLES)] == []


def test_a_run_that_was_rendered_again_has_its_own_table_read(
    store: CountingStore, sweep: Any, record_of: Callable[..., Any]
) -> None:
    attempt = begin_call(store, sweep).attempt
    keep_tables(store, attempt, sweep, tuple(range(RUNS)))
    commit_run(store, record_of(sweep.key(2), seed=2, particles=7), build_table(7))

    dataset = commit(store, attempt)

    assert [layout.parse_key(path) for path in store.tables] == [sweep.key(2)]
    assert pq.read_table(pa.BufferReader(read_pooled(store, dataset)))["run"].to_pylist().count(2) == 7


def test_a_run_that_no_batch_has_rendered_has_its_own_table_read(store: CountingStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    keep_tables(store, attempt, sweep, (0, 5), ())
    commit(store, attempt)
    assert [layout.parse_key(path) for path in store.tables] == [sweep.key(run) for run in range(1, 5)]


def test_a_table_with_other_columns_is_not_kept(
    store: CountingStore, sweep: Any, record_of: Callable[..., Any]
) -> None:
    attempt = begin_call(store, sweep).attempt
    commit_run(store, record_of(sweep.key(3), seed=3, particles=3), build_table(3, tint=FeatureType.FLOAT))
    before = read_pooled(store, commit(store, attempt))
    keep_tables(store, attempt, sweep, tuple(range(RUNS)))
    dataset = commit(store, attempt)
    assert [layout.parse_key(path) for path in store.tables] == [sweep.key(3)]
    assert read_pooled(store, dataset) == before


@pytest.mark.parametrize("content", [b"", b"12345678", b"\xff" * 40, bytes(64)])
def test_a_damaged_file_is_named_and_its_runs_have_their_own_tables_read(
    store: CountingStore, sweep: Any, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = begin_call(store, sweep).attempt
    path = layout.batch_tables_path(attempt.path, 0)
    store.write(path, content)
    assert commit(store, attempt).runs == RUNS
    assert len(store.tables) == RUNS
    assert f"{store.format_uri(path)}: holds no particle tables; remove it" in caplog.text


def test_a_damaged_message_is_read_from_the_run(store: CountingStore, sweep: Any) -> None:
    attempt = begin_call(store, sweep).attempt
    keep_tables(store, attempt, sweep, (4, 5))
    path = layout.batch_tables_path(attempt.path, 0)
    entries = open_batch_tables(store, path).entries
    content = bytearray(store.read(path))
    first = int(entries["offset"][0])
    content[first : first + 64] = bytes(64)
    store.write(path, bytes(content))
    tables = AttemptTables(store, attempt)
    assert [tables.read(run) is not None for run in iterate_runs(store, attempt)] == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("offset", -8), ("offset", 4), ("offset", 1 << 40), ("length", 1 << 40), ("run", -1), ("run", RUNS)],
)
def test_a_damaged_entry_is_no_table(store: CountingStore, sweep: Any, name: str, value: int) -> None:
    attempt = begin_call(store, sweep).attempt
    keep_tables(store, attempt, sweep, (5,))
    path = layout.batch_tables_path(attempt.path, 0)
    entries = open_batch_tables(store, path).entries
    damaged = entries.copy()
    damaged[name] = value
    store.write(path, store.read(path).replace(entries.tobytes(), damaged.tobytes()))
    assert commit(store, attempt).runs == RUNS
    assert len(store.tables) == RUNS


def test_a_batch_without_runs_keeps_no_file(store: CountingStore, sweep_of: Callable[..., Any]) -> None:
    sweep = sweep_of(7, 8)
    path = layout.batch_tables_path("attempt", 0)
    keep_batch_tables(store, path, [(run, sweep.key(run)) for run in range(2)])
    assert not store.exists(path)


def test_a_file_names_number_content_and_place_of_each_table(tmp_path: Path) -> None:
    tables = [(3, "000000ff", build_table(2)), (9, "ffffffff", build_table(0)), (12, "0a0b0c0d", build_table(5))]
    assert write_batch_tables(tmp_path / "0.arrow", iter(tables)) == 3
    found = open_batch_tables(FolderStore(tmp_path), "0.arrow")
    assert found.entries["run"].tolist() == [3, 9, 12]
    assert found.entries["c8"].tolist() == [0xFF, 0xFFFFFFFF, 0x0A0B0C0D]
    ends = (found.entries["offset"] + found.entries["length"]).tolist()
    assert ends[:-1] == found.entries["offset"].tolist()[1:]
    assert found.schema.names == build_table(0).column_names
    with pytest.raises(FileNotFoundError):
        open_batch_tables(FolderStore(tmp_path), "1.arrow")
    (tmp_path / "1.arrow").write_bytes((tmp_path / "0.arrow").read_bytes()[:-1])
    with pytest.raises(DocumentError, match=r"1\.arrow: holds no particle tables; remove it"):
        open_batch_tables(FolderStore(tmp_path), "1.arrow")
