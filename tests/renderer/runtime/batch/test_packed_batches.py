"""A pod whose runs are packed: a run has ended once it is in a shard of the bucket, and not before."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from waiting import SECONDS, wait_until

from synth_api.resources.synth_sweep import Packaging
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.store.batch_tables import open_batch_tables
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import Packer
from synth_renderer.runtime.batch.gpu_clock import GpuClock
from synth_renderer.runtime.batch.progress import BatchWork
from synth_renderer.runtime.pool import RunEnded, RunStarting
from synth_renderer.runtime.protocol import RunReport, RunTask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.renderer.runtime.batch.conftest import Pods

SHARDS = {"packaging": Packaging.SHARDS}


def list_shards(pods: Pods) -> list[str]:
    return [path for path in pods.store.iterate_files(layout.SHARDS) if path.endswith(".parquet")]


def list_plain(pods: Pods) -> list[str]:
    return [*pods.store.iterate_files(layout.RUNS), *pods.store.iterate_files(layout.MANIFESTS)]


def exist(pods: Pods, seeds: range) -> list[bool]:
    pods.store.shards.refresh()
    return [pods.exists(seed) for seed in seeds]


def wait_for_render(pods: Pods, seed: int) -> None:
    wait_until((pods.folder / f"{seed}.rendered").exists, f"seed {seed} was never rendered")


def test_the_runs_of_a_batch_are_one_shard_and_their_recipe_is_there(batch: Pods) -> None:
    assert batch.run(**SHARDS) == 0

    assert exist(batch, range(6)) == [True] * 6
    assert (len(list_shards(batch)), list_plain(batch)) == (1, [])
    assert (batch.message.succeeded, batch.message.failed) == (6, 0)
    assert batch.message.bytes > 0
    document = batch.document()
    assert (document.succeeded, document.ended, document.in_flight) == (6, ((0, 6),), ())
    manifest = batch.store.read_manifest(batch.given.build_sweep().key(3))
    assert batch.store.read_recipe(manifest)["initial_runtime_state"]["seed"] == 3
    assert batch.store.read(f"{layout.run_path(manifest.key, manifest.c8)}/picture.txt") == b"3"
    tables = open_batch_tables(batch.store, layout.batch_tables_path(batch.attempt_path, 0))
    assert tables.entries["run"].tolist() == list(range(6))


def test_a_full_shard_is_closed_while_the_batch_goes_on(batch: Pods) -> None:
    assert batch.run(**SHARDS, options=["--shard-bytes=1"]) == 0
    assert len(list_shards(batch)) == 6
    assert batch.document().ended == ((0, 6),)
    assert [event["runs"] for event in batch.events() if event["event"] == "packed"] == [1] * 6


def test_a_failed_run_is_recorded_and_the_others_are_packed(batch: Pods) -> None:
    batch.order(2, "raise")
    assert batch.run(**SHARDS) == 0
    assert exist(batch, range(6)) == [True, True, False, True, True, True]
    assert (batch.message.succeeded, batch.message.failed) == (5, 1)


def test_told_to_stop_it_packs_what_is_rendered_and_drops_the_run_in_flight(batch: Pods) -> None:
    first, second = batch.list_runs()[:2]
    batch.order(second, "hang")
    with batch.start(**SHARDS) as process:
        wait_for_render(batch, second)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 143

    assert (len(list_shards(batch)), list_plain(batch)) == (1, [])
    document = batch.document()
    assert (document.succeeded, document.ended, document.in_flight) == (1, ((0, 1),), ())
    assert batch.message.succeeded == 1
    batch.order(second, "")
    assert batch.run(**SHARDS) == 0
    assert exist(batch, range(6)) == [True] * 6
    assert batch.tries(first) == 1, "what was packed is not rendered again"


def test_a_killed_pod_loses_its_unfinished_shard_and_its_runs_are_rendered_again(batch: Pods) -> None:
    first, second = batch.list_runs()[:2]
    batch.order(second, "kill pod")
    assert batch.run(**SHARDS) == -signal.SIGKILL

    document = batch.document()
    assert (document.succeeded, document.ended) == (0, ())
    assert [mark.run for mark in document.in_flight] == [second], "only the run in flight may have killed the pod"
    assert list_shards(batch) == []
    batch.order(second, "")
    assert batch.run(**SHARDS) == 0
    assert exist(batch, range(6)) == [True] * 6
    assert (batch.tries(first), batch.message.succeeded) == (2, 6)


def test_a_pod_killed_while_it_packs_was_not_ended_by_a_run(tmp_path: Path) -> None:
    class KilledError(Exception):
        """Stands for SIGKILL of this process."""

    class DyingPacker(Packer):
        def pack(self) -> None:
            raise KilledError

    store, task = FolderStore(tmp_path), RunTask(number=0, key="ab" * 32, overrides={}, recipe={}, base={})
    work = BatchWork(store, "attempt", BatchDocument(batch=0, size=1), [0], lambda _: task, DyingPacker(store, store))
    work.record(RunStarting(task, 1), GpuClock(0))
    assert BatchDocument.model_validate_json(store.read("attempt/batches/0.json")).in_flight
    work.record(RunEnded(task, RunReport(number=0, outcome="succeeded", seconds=1.0)), GpuClock(0))
    with pytest.raises(KilledError):
        work.pack(all_runs=True)
    document = BatchDocument.model_validate_json(store.read("attempt/batches/0.json"))
    assert (document.in_flight, document.suspects, document.ended) == ((), (), ())


@pytest.mark.parametrize("missing", [".tar", ".parquet"])
def test_half_a_shard_is_no_run(batch: Pods, missing: str) -> None:
    """Killed before the tar file, and between tar file and index: the document has none of the runs."""
    assert batch.run(**SHARDS) == 0
    before = {path: batch.store.read(path) for path in batch.store.iterate_files(layout.SHARDS)}
    path = next(path for path in before if path.endswith(missing))
    batch.store.remove_files([path, layout.batch_path(batch.attempt_path, 0)])
    assert exist(batch, range(6)) == [False] * 6
    assert batch.run(**SHARDS) == 0
    assert exist(batch, range(6)) == [True] * 6
    assert batch.document().succeeded == 6


def test_runs_that_are_packed_are_not_planned_again_whatever_the_next_packaging(batch: Pods) -> None:
    assert batch.run(**SHARDS) == 0
    for attempt in ("c", "d"):
        batch.plan(attempt * 64)
        assert batch.open_attempt().document.todo == ()
