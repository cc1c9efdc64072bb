"""Differences of datasets: which runs, and which values make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from disc_datasets import NUMBER, SEED, DiscSweep, render_discs

from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.comparison.dataset_difference import DifferenceCounts, compare_datasets
from synth_dataset.comparison.value_changes import AxisChange, ValueChange, list_changes
from synth_dataset.documents.document import DocumentError
from synth_dataset.store.folder_store import FolderStore

SWEEP = DiscSweep(seeds=(0, 1), base={"blueprints": {"particles": {"Bead": {"number": 1}}}})


def render(folder: Path, sweep: DiscSweep = SWEEP) -> DatasetSource:
    return render_discs(FolderStore(folder), sweep)


def edit_manifests(source: DatasetSource, **values: object) -> None:
    for path in (source.store.root / "manifests").rglob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_bytes()) | values))


def test_equal_datasets(tmp_path: Path) -> None:
    difference = compare_datasets(render(tmp_path / "one"), render(tmp_path / "two"))
    assert difference.is_equal
    assert difference.counts == DifferenceCounts(equal=4, added=0, removed=0, changed=0)
    assert (difference.axes, difference.recipe) == ((), ())


def test_datasets_without_runs_are_equal(tmp_path: Path) -> None:
    none = replace(SWEEP, seeds=())
    assert compare_datasets(render(tmp_path / "one", none), render(tmp_path / "two", none)).is_equal


def test_added_and_removed_runs_and_the_axis_values_that_make_them(tmp_path: Path) -> None:
    one, two = render(tmp_path / "one"), render(tmp_path / "two", replace(SWEEP, seeds=(1, 2, 3)))
    difference = compare_datasets(one, two)
    assert not difference.is_equal
    assert difference.counts == DifferenceCounts(equal=2, added=4, removed=2, changed=0)
    assert difference.axes == (AxisChange(SEED, removed=(0,), added=(2, 3)),)
    assert [run.overrides for run in difference.removed] == [{SEED: 0, NUMBER: 0}, {SEED: 0, NUMBER: 4}]
    assert [(run.run, run.other_run) for run in difference.added] == [(None, 2), (None, 3), (None, 4), (None, 5)]


def test_runs_of_equal_values_with_another_recipe(tmp_path: Path) -> None:
    one = render(tmp_path / "one")
    base = {"blueprints": {"particles": {"Bead": {"number": 1}, "Chip": {"number": 2}}}}
    two = render(tmp_path / "two", replace(SWEEP, particle_blueprints=("Bead", "Chip"), base=base))
    edit_manifests(two, engine_version=2, recipe={"blueprints": {"particles": {"Chip": {}}}})
    difference = compare_datasets(one, find_source(two.store, None))
    assert difference.counts == DifferenceCounts(equal=0, added=0, removed=0, changed=4)
    assert difference.recipe == (ValueChange("add", "/blueprints/particles/Chip", None, {"number": 2}),)
    first = difference.changed[0]
    assert (first.run, first.other_run, first.what) == (0, 0, "recipe")
    assert ValueChange("replace", "/engine_version", 1, 2) in first.changes
    assert ValueChange("add", "/blueprints/particles/Chip", None, {}) in first.changes


def test_other_labels_of_one_key_and_what_rendered_them(tmp_path: Path) -> None:
    one, two = render(tmp_path / "one"), render(tmp_path / "two", replace(SWEEP, labels=7))
    edit_manifests(two, processor="arm64")
    difference = compare_datasets(one, find_source(two.store, None))
    assert difference.counts == DifferenceCounts(equal=0, added=0, removed=0, changed=4)
    (change,) = difference.changed[0].changes
    assert (difference.changed[0].what, change) == ("labels", ValueChange("replace", "/processor", "x86-64", "arm64"))


def test_other_pictures_with_equal_labels(tmp_path: Path) -> None:
    one, two = render(tmp_path / "one"), render(tmp_path / "two")
    source = find_source(two.store, None)
    key = next(row["key"] for row in source.iterate_rows(("key",)))
    manifest = source.store.read_manifest(key)
    with source.store.open_scratch("again") as scratch:
        for file in source.store.run_folder(manifest).iterdir():
            (scratch / file.name).write_bytes(file.read_bytes())
        (scratch / "real.png").write_bytes(b"another")
        source.store.commit_run(scratch, manifest)
    commit_dataset(source.store, open_attempt(source.store, source.dataset.folder), [])
    difference = compare_datasets(one, find_source(two.store, None))
    assert difference.counts == DifferenceCounts(equal=3, added=0, removed=0, changed=1)
    assert difference.changed[0].what == "files"


def test_a_dataset_of_an_earlier_release_has_no_digests_in_its_index(tmp_path: Path) -> None:
    one, two = render(tmp_path / "one"), render(tmp_path / "two")
    file = two.store.root / two.dataset.folder / "index.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["label_digest", "split"]), file)
    assert compare_datasets(one, two).is_equal
    next((two.store.root / "manifests").rglob("*.json")).unlink()
    with pytest.raises(DocumentError, match="is missing; synth verify --repair renders the run again"):
        compare_datasets(one, two)


def test_runs_of_joined_sweeps_with_equal_values_are_each_matched_once(tmp_path: Path) -> None:
    """Two sweeps of one axis, whose recipes differ elsewhere: each value is there twice."""
    one = render(tmp_path / "one", replace(SWEEP, seeds=(0,), numbers=(4,), particle_blueprints=("Bead",)))
    two = render(tmp_path / "two", replace(SWEEP, seeds=(0,), numbers=(4,), particle_blueprints=("Chip",)))
    path = two.store.root / two.dataset.folder / "index.parquet"
    table = pq.read_table(path)
    other = table.set_column(1, "key", [["f" * 64]])
    pq.write_table(pa.concat_tables([table, other]), path)
    difference = compare_datasets(one, two)
    assert difference.counts == DifferenceCounts(equal=0, added=1, removed=0, changed=1)


def test_many_runs_are_counted_and_the_first_are_listed(tmp_path: Path) -> None:
    one = render(tmp_path / "one", replace(SWEEP, seeds=(0,), numbers=(0,)))
    two = render(tmp_path / "two", replace(SWEEP, seeds=tuple(range(120)), numbers=(0,)))
    difference = compare_datasets(one, two)
    assert difference.counts.added == 119
    assert len(difference.added) == 100


def test_changes_have_the_old_value_and_the_new_one() -> None:
    old = {"a": {"x/y": 1}, "b": [1, 2], "c": 1}
    new = {"a": {"x/y": 2}, "b": [1, 2, 3], "d": None}
    assert list_changes(old, new) == (
        ValueChange("remove", "/c", 1, None),
        ValueChange("add", "/d", None, None),
        ValueChange("replace", "/a/x~1y", 1, 2),
        ValueChange("replace", "/b", [1, 2], [1, 2, 3]),
    )
