"""Batches and shards of an attempt: formats that a running attempt depends on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synth_api.jobs.batches import MAX_BATCH_SIZE, SHARD_BATCHES, Batches
from synth_api.resources.synth_sweep import Packaging


@given(todo=st.integers(1, 10**6), parallelism=st.integers(1, 10_000))
def test_a_batch_is_a_share_of_eight_batches_per_pod_between_twenty_and_a_thousand(todo: int, parallelism: int) -> None:
    parts = min(max(8 * parallelism, 20), 1000)
    assert Batches.split(todo, parallelism).size == min(-(-todo // parts), 100)


def test_batches_of_shards_are_larger_so_that_a_million_runs_are_some_thousand_objects() -> None:
    batches = Batches.split(10**6, 100, packaging=Packaging.SHARDS)
    assert (batches.size, batches.count) == (1000, 1000)
    assert Batches.split(1000, 4, packaging=Packaging.SHARDS) == Batches.split(1000, 4)


def test_the_batch_size_of_the_spec_is_used() -> None:
    assert Batches.split(1000, 4, 7).size == 7
    assert Batches.split(1000, 4, 7, Packaging.SHARDS).size == 7


@given(todo=st.integers(0, 20_000), size=st.integers(1, MAX_BATCH_SIZE))
def test_each_run_is_in_one_batch_and_each_batch_in_one_shard(todo: int, size: int) -> None:
    batches = Batches(todo, size)
    runs = [batches.get_runs(batch) for batch in range(batches.count)]
    assert [part.start for part in runs] == [0, *(part.stop for part in runs[:-1])][: len(runs)]
    assert sum(map(len, runs)) == todo
    shards = [batches.get_batches(shard) for shard in range(batches.shards)]
    assert all(1 <= len(shard) <= SHARD_BATCHES for shard in shards)
    assert [batch for shard in shards for batch in shard] == list(range(batches.count))
