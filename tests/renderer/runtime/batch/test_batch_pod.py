"""A pod of a render Job, as a process of its own against a real MinIO: what it leaves behind and how it ends."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from waiting import SECONDS, wait_until

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import MAX_BYTES
from synth_api.reasons import Reason
from synth_dataset.documents import layout
from synth_dataset.store.base import StoreError
from synth_dataset.store.batch_tables import open_batch_tables
from synth_renderer.runtime.batch import pod

if TYPE_CHECKING:
    import pytest
    from tests.renderer.runtime.batch.conftest import Pods


def wait_for_try(pods: Pods, seed: int) -> None:
    wait_until(lambda: pods.tries(seed), f"seed {seed} was never rendered")


def test_a_batch_is_worked_off_and_told(pods: Pods) -> None:
    assert pods.run(batch=1) == 0

    assert [pods.exists(seed) for seed in range(4)] == [False, True, True, False]
    message = pods.message
    assert (message.batch, message.size, message.succeeded, message.failed) == (1, 2, 2, 0)
    assert message.engine_version == pods.given.engine_version
    assert message.bytes > 0
    assert message.gpu_seconds_used > 0
    document = pods.document(1)
    assert (document.succeeded, document.in_flight, document.ended) == (2, (), ((0, 2),))


def test_a_pod_keeps_the_particle_tables_of_its_batch_once_all_runs_have_ended(pods: Pods) -> None:
    path = layout.batch_tables_path(pods.attempt_path, 0)
    pods.order(3, "hang")
    with pods.start() as process:
        wait_for_try(pods, 3)
        process.terminate()
        assert process.wait(SECONDS) == ExitCode.STOPPED
    assert not pods.store.exists(path)

    pods.order(3, "raise")
    assert pods.run() == 0
    assert pods.message.failed == 1
    assert open_batch_tables(pods.store, path).entries["run"].tolist() == [0]


def test_a_batch_whose_particle_tables_cannot_be_kept_has_ended_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class FullWork:
        def keep_tables(self) -> None:
            raise StoreError(Reason.STORE_FULL, "the store is full")

    work: Any = FullWork()
    pod.keep_tables(work)
    entry = json.loads(capsys.readouterr().out)
    assert (entry["event"], entry["message"]) == ("particle tables not kept", "the store is full")


def test_a_run_that_somebody_else_has_made_meanwhile_counts_as_succeeded(pods: Pods) -> None:
    assert pods.run() == 0
    bytes_written = pods.message.bytes
    assert pods.run(attempt="b" * 64) == 0

    assert pods.tries(0) == 1
    assert (pods.message.succeeded, pods.message.bytes) == (2, bytes_written)


def test_a_run_that_fails_is_recorded_and_its_neighbour_rendered(pods: Pods) -> None:
    pods.order(0, "raise")

    assert pods.run() == 0

    message = pods.message
    assert (message.succeeded, message.failed, message.reasons) == (1, 1, {"EngineFailed": 1})
    assert message.failures[0].overrides == {"initial_runtime_state.seed": 0}
    assert message.failures[0].message == "ValueError: two beads in one place"
    assert message.gpu_seconds_lost > 0
    assert [pods.exists(seed) for seed in (0, 3)] == [False, True]
    assert pods.run() == 0
    assert pods.tries(0) == 1, "a recorded failure is not tried again in its attempt"


def test_a_run_that_kills_its_worker_is_given_up_after_its_retries_and_takes_no_neighbour_along(pods: Pods) -> None:
    pods.order(0, "crash")

    assert pods.run() == 0

    assert pods.tries(0) == 2
    assert pods.exists(3)
    deaths = [(event["run"], event["exit"]) for event in pods.events() if event["event"] == "worker died"]
    assert deaths == [(0, "was killed by SIGSEGV")] * 2
    assert pods.message.reasons == {"WorkerDied": 1}
    assert "in each of 2 tries" in pods.message.failures[0].message


def test_a_run_that_kills_its_pod_is_given_up_after_its_retries_and_takes_no_neighbour_along(pods: Pods) -> None:
    pods.order(0, "kill pod")

    assert pods.run() == -signal.SIGKILL
    assert [mark.run for mark in pods.document().in_flight] == [0]
    assert pods.run() == -signal.SIGKILL
    assert pods.run() == 0

    assert pods.tries(0) == 2
    assert pods.exists(3)
    assert pods.message.reasons == {"WorkerDied": 1}
    assert "in each of 2 tries" in pods.message.failures[0].message


def test_told_to_stop_it_drops_the_run_in_flight_and_counts_nothing_against_it(pods: Pods) -> None:
    pods.order(0, "hang")
    with pods.start() as process:
        wait_for_try(pods, 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 143

    assert pods.document().in_flight == ()
    assert not pods.exists(0)
    assert list(pods.store.iterate_files(layout.RUNS)) == []
    assert pods.message.gpu_seconds_lost > 0
    pods.order(0, "")
    assert pods.run() == 0
    assert pods.message.succeeded == 2


def test_it_stops_though_its_scratch_folder_is_gone_and_leaves_no_mark(pods: Pods) -> None:
    pods.order(0, "hang")
    with pods.start() as process:
        while not (pods.folder / "0.rendered").exists():
            assert process.poll() is None
        (scratch,) = pods.folder.glob(f"*/{pods.given.build_sweep().key(0)}-*")
        shutil.rmtree(scratch)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 143

    assert pods.document().in_flight == ()


def test_a_second_signal_ends_it_at_once_while_it_waits_for_a_store_that_is_deaf(pods: Pods) -> None:
    pods.order(0, "hang")
    with pods.start() as process:
        wait_for_try(pods, 0)
        pods.server.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert any("stopping" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 143
        pods.server.send_signal(signal.SIGCONT)

    assert pods.document().in_flight != ()


def test_another_engine_version_can_never_render_this_plan(pods: Pods) -> None:
    assert pods.run(engine_version=999) == 64

    assert pods.message.problem is not None
    assert pods.message.problem.reason == "EngineMismatch"
    assert "engine version 999" in pods.message.problem.message
    assert pods.tries(0) == 0


def test_a_plan_that_is_not_there_can_never_be_rendered(pods: Pods) -> None:
    assert pods.run(attempt="c" * 64) == 64

    assert pods.message.problem is not None
    assert pods.message.problem.reason == "PlanUnreadable"


def test_a_batch_beyond_the_last_is_refused(pods: Pods) -> None:
    assert pods.run(batch=2) == 64
    assert "has 2 batches, there is none with number 2" in pods.message.problem.message  # type: ignore[union-attr]


def test_wrong_credentials_end_it_with_try_again_and_one_sentence(pods: Pods) -> None:
    pods.server.secret_key, right = "wrong-secret-key", pods.server.secret_key
    try:
        assert pods.run() == 75
    finally:
        pods.server.secret_key = right

    assert pods.message.problem is not None
    assert pods.message.problem.reason == "AccessDenied"
    assert len(pods.message_file.read_bytes()) <= MAX_BYTES
    assert "wrong-secret-key" not in pods.log + pods.message_file.read_text()


def test_a_device_that_is_not_there_ends_it_with_try_again_and_leaves_no_mark(pods: Pods) -> None:
    pods.order(0, "no device")

    assert pods.run() == 75

    assert pods.message.problem is not None
    assert pods.message.problem.reason == "DeviceUnavailable"
    assert pods.document().in_flight == ()


def test_a_store_that_is_gone_for_a_while_is_waited_for(pods: Pods) -> None:
    pods.order(0, "hang until released")
    with pods.start() as process:
        wait_for_try(pods, 0)
        pods.server.kill()
        (pods.folder / "released").touch()
        pods.server.start()
        assert process.wait(timeout=SECONDS) == 0

    assert pods.message.succeeded == 2


def test_a_worker_that_holds_too_much_memory_is_replaced_after_its_run(pods: Pods) -> None:
    pods.order(0, "leak")

    assert pods.run(memory_limit=400 << 20) == 0

    assert pods.message.succeeded == 2
    assert pods.workers(0) != pods.workers(3)


def test_the_process_that_starts_workers_loads_no_library_of_theirs() -> None:
    program = "import sys, synth_renderer.runtime.batch.pod; print({'bpy', 'cv2', 'numba', 'pyarrow'} & {*sys.modules})"

    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert loaded == "set()\n"


def test_each_run_is_a_line_of_json_in_the_log(pods: Pods) -> None:
    pods.run()

    outcomes = [(event["event"], event["run"]) for event in pods.events()]
    assert outcomes == [("succeeded", 0), ("succeeded", 3)]
