"""Calls with one name: none takes a run out of the dataset without a word, `--add` joins what they have rendered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from synth_api.errors import InputError
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.garbage_collection import find_garbage
from synth_dataset.attempts.render_call import OtherRuns, begin_call, check_other_runs, count_other_runs
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.failed_run import FailedRun

SEED = "initial_runtime_state.seed"


@pytest.fixture
def render(store, put):
    """A call that renders all runs but those of the failing seeds; the dataset it commits."""

    def render_sweep(sweep, others=OtherRuns.REFUSE, failing=()):
        call = begin_call(store, sweep, others=others)
        failures = []
        for first, end in call.survey.todo:
            for run in range(first, end):
                seed = sweep.axes[0].values[run]
                if seed in failing:
                    number = int(call.runs.numbers[run])
                    failures.append(FailedRun(number=number, overrides={SEED: seed}, reason="GateFailed"))
                else:
                    put(sweep.key(run))
        return commit_dataset(store, call.attempt, [*call.earlier_failures, *failures], ())

    return render_sweep


def rows(store, dataset):
    """(run number, seed) of each row of the index."""
    table = pq.read_table(BytesIO(store.read(f"{dataset.folder}/index.parquet"))).to_pydict()
    return list(zip(table["run"], table[SEED], strict=True))


def test_a_call_that_would_remove_runs_is_refused_with_their_number(store, sweep_of, render):
    dataset = render(sweep_of(0, 1, 2))
    before = sorted(store.root.rglob("*"))
    with pytest.raises(InputError, match=r"^beads: the dataset of this name has 2 runs that this call does not have"):
        begin_call(store, sweep_of(2, 3))
    assert sorted(store.root.rglob("*")) == before
    assert find_dataset(store, "local", "beads") == dataset


def test_a_call_that_has_all_runs_needs_no_flag(store, sweep_of, render):
    render(sweep_of(0, 1, 2))
    assert rows(store, render(sweep_of(3, 2, 1, 0))) == [(0, 3), (1, 2), (2, 1), (3, 0)]


def test_a_run_that_failed_is_no_loss(store, sweep_of, render):
    render(sweep_of(0, 1), failing=(0,))
    assert rows(store, render(sweep_of(1))) == [(0, 1)]


def test_replaced_runs_are_garbage_of_the_sweep(store, sweep_of, render):
    render(sweep_of(0, 1, 2))
    assert rows(store, render(sweep_of(3), OtherRuns.REPLACE)) == [(0, 3)]
    found = find_garbage(store, now=datetime.now(UTC) + timedelta(days=3))
    assert [item.sweep for item in found.runs] == 3 * ["local/beads"]
    assert len(found.attempts) == 1


def test_joined_runs_keep_their_numbers_and_new_ones_follow(store, sweep_of, render):
    render(sweep_of(0, 1, 2))
    dataset = render(sweep_of(5, 1, 4), OtherRuns.ADD)
    assert (dataset.total, dataset.is_complete) == (5, True)
    assert rows(store, dataset) == [(0, 0), (1, 1), (2, 2), (3, 5), (5, 4)]
    dataset = render(sweep_of(7), OtherRuns.ADD)
    assert rows(store, dataset) == [(0, 0), (1, 1), (2, 2), (3, 5), (5, 4), (6, 7)]
    assert find_garbage(store, now=datetime.now(UTC) + timedelta(days=3)).runs == ()


def test_a_repeated_call_has_no_runs_to_do(store, sweep_of, render):
    render(sweep_of(0, 1))
    render(sweep_of(2, 3), OtherRuns.ADD)
    assert begin_call(store, sweep_of(2, 3), others=OtherRuns.ADD) is None
    assert begin_call(store, sweep_of(3, 0), others=OtherRuns.ADD) is None


def test_an_interrupted_call_continues(store, put, sweep_of, render):
    render(sweep_of(0, 1))
    added = sweep_of(2, 3)
    assert begin_call(store, added, others=OtherRuns.ADD).survey.todo == ((0, 2),)
    put(added.key(0))
    assert begin_call(store, added, others=OtherRuns.ADD).survey.todo == ((1, 2),)
    assert rows(store, render(added, OtherRuns.ADD)) == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_failed_runs_of_the_dataset_stay_recorded_and_can_be_tried_again(store, sweep_of, render):
    render(sweep_of(0, 1, 2), failing=(1,))
    dataset = render(sweep_of(3, 4), OtherRuns.ADD, failing=(4,))
    assert [(run.number, run.overrides[SEED]) for run in dataset.failures] == [(1, 1), (4, 4)]
    assert (dataset.failed, dataset.missing) == (2, 0)
    dataset = render(sweep_of(1), OtherRuns.ADD)
    assert rows(store, dataset) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert [run.number for run in dataset.failures] == [4]


def test_sweeps_over_other_axes_have_a_column_each(store, sweep_of, render):
    render(sweep_of(0, 1))
    first = sweep_of(0, 7)
    (axis,) = first.axes
    dataset = render(type(first)((axis, type(axis)("gravity", (-1, "off"), zipped=True))), OtherRuns.ADD)
    table = pq.read_table(BytesIO(store.read(f"{dataset.folder}/index.parquet"))).to_pydict()
    assert table["run"] == [0, 1, 3]
    assert (table[SEED], table["gravity"]) == ([0, 1, 7], [None, None, "off"])


def test_categories_keep_their_ids_and_new_ones_follow(store, sweep_of, render):
    sweep = sweep_of(0)
    render(type(sweep)(sweep.axes, particle_blueprints=("Bead", "Rod")))
    dataset = render(type(sweep)(sweep_of(1).axes, particle_blueprints=("Rod", "Disc", "Cube")), OtherRuns.ADD)
    assert [(kind.id, kind.name) for kind in dataset.categories] == [(1, "Bead"), (2, "Rod"), (3, "Cube"), (4, "Disc")]


def test_runs_committed_by_a_concurrent_call_are_kept(store, sweep_of, render):
    slow = begin_call(store, sweep_of(0))
    check_other_runs(store, slow)
    render(sweep_of(1))
    with pytest.raises(InputError, match="has 1 run that this call does not have"):
        check_other_runs(store, slow)


def test_a_plan_counts_the_other_runs(store, sweep_of, render):
    render(sweep_of(0, 1, 2))
    keys = np.array([bytes.fromhex(sweep_of(2, 3).key(run)) for run in range(2)])
    assert count_other_runs(store, "local", sweep_of(2, 3), keys) == 2


def test_a_dataset_with_unknown_runs_can_only_be_replaced(store, sweep_of, render):
    dataset = render(sweep_of(0))
    store.write(f"{dataset.folder}/keys.bin", b"short")
    with pytest.raises(DocumentError, match=r"keys\.bin.*; --replace makes the runs of this call the dataset$"):
        begin_call(store, sweep_of(1), others=OtherRuns.ADD)
    assert rows(store, render(sweep_of(1), OtherRuns.REPLACE)) == [(0, 1)]
