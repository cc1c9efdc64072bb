"""Start-up of workers: a device is prepared before the first run, by one worker first, within a limit."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from synth_api.reasons import Reason
from synth_renderer.runtime.pool import STARTUP_SECONDS, PoolUnavailableError, RunEnded, WorkerPreparing, WorkerReady
from synth_renderer.runtime.process import load_preparation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Trial

    from synth_renderer.runtime.pool import Pool, PoolEvent

SENTENCE = "Compiling Cycles kernels for NVIDIA A100 (sm_80); once per driver"


def build_pool(trial: Trial, size: int = 1, startup_seconds: float = 600.0) -> Pool:
    """Return a pool whose workers prepare their device."""
    pool = trial.pool(size)
    arguments = [word for word in pool.command.arguments if word != "--device=cpu"]
    pool.command = replace(pool.command, arguments=(*arguments, "--device=cuda", "--prepare-device"))
    pool.startup_seconds = startup_seconds
    return pool


def order_device(trial: Trial, what: str) -> None:
    (trial.orders / "device").write_text(what)


def list_prepared(trial: Trial) -> list[str]:
    """Return the process ids of the workers that began to prepare their device."""
    log = trial.orders / "device.log"
    return log.read_text().split() if log.exists() else []


def render(trial: Trial, pool: Pool, runs: int = 4) -> Iterator[PoolEvent]:
    return pool.events(trial.task(seed) for seed in range(runs))


def test_one_worker_prepares_the_device_while_the_others_wait(trial: Trial) -> None:
    order_device(trial, "hang until released")
    pool = build_pool(trial, size=3)
    pool.notice_seconds = 0.05
    notices: list[WorkerPreparing] = []
    ended = 0
    for event in render(trial, pool):
        if isinstance(event, WorkerPreparing) and not (trial.orders / "released").exists():
            assert len(list_prepared(trial)) == 1
            notices.append(event)
            if len(notices) == 4:
                (trial.orders / "released").touch()
        ended += isinstance(event, RunEnded)

    assert ended == 4
    assert {notice.sentence for notice in notices} == {SENTENCE}
    seconds = [notice.seconds for notice in notices]
    assert seconds == sorted(seconds)
    assert seconds[0] < 0.05 <= seconds[1]
    assert len(list_prepared(trial)) > 1


def test_a_worker_that_is_ready_names_its_gpu_and_so_do_the_manifests_of_its_runs(trial: Trial) -> None:
    events = list(render(trial, build_pool(trial), runs=1))

    ready = next(event for event in events if isinstance(event, WorkerReady))
    assert ready.gpu is not None
    assert ready.gpu.describe() == "NVIDIA A100 (sm_80), CUDA"
    (path,) = trial.store.glob("manifests/*/*.json")
    manifest = json.loads(path.read_text())
    assert manifest["gpu"] == {
        "name": "NVIDIA A100",
        "compute_capability": "8.0",
        "driver": "580.1",
        "backend": "CUDA",
        "startup_seconds": 12.5,
    }
    assert manifest["seconds"] == {"picture": 0.0}


def test_without_traced_pictures_no_device_is_prepared(trial: Trial) -> None:
    events = list(trial.pool().events(iter([trial.task(0)])))

    assert list_prepared(trial) == []
    assert [event.gpu for event in events if isinstance(event, WorkerReady)] == [None]
    (path,) = trial.store.glob("manifests/*/*.json")
    assert json.loads(path.read_text())["gpu"] is None


def test_a_start_up_that_takes_too_long_makes_the_device_unavailable(trial: Trial) -> None:
    order_device(trial, "hang")
    with pytest.raises(PoolUnavailableError) as caught:
        list(render(trial, build_pool(trial, size=3, startup_seconds=0.1)))

    assert caught.value.reason is Reason.DEVICE_UNAVAILABLE
    assert str(caught.value) == f"{SENTENCE}: not done after 0 s, the limit"
    assert len(list_prepared(trial)) == 1
    assert trial.renderers(0) == []


def test_a_gpu_that_fails_at_its_start_makes_the_device_unavailable(trial: Trial) -> None:
    order_device(trial, "gpu fails")
    with pytest.raises(PoolUnavailableError, match=r"^the GPU failed: Illegal address in CUDA queue") as caught:
        list(render(trial, build_pool(trial)))

    assert caught.value.reason is Reason.DEVICE_UNAVAILABLE


def test_a_gpu_that_fails_later_fails_no_run(trial: Trial) -> None:
    trial.order(1, "gpu fails")
    outcomes: list[str] = []

    def keep_outcomes() -> None:
        for event in render(trial, build_pool(trial)):
            outcomes.extend([event.report.outcome] if isinstance(event, RunEnded) else [])

    with pytest.raises(PoolUnavailableError, match=r"^the GPU failed: "):
        keep_outcomes()
    assert outcomes == ["succeeded", "dropped"]


def test_a_run_that_is_too_large_for_the_gpu_fails_and_the_next_one_has_a_new_process(trial: Trial) -> None:
    trial.order(0, "gpu is full")
    reports = {
        event.task.number: event.report
        for event in render(trial, build_pool(trial), runs=2)
        if isinstance(event, RunEnded)
    }

    assert (reports[0].outcome, reports[0].reason) == ("failed", "OutOfGpuMemory")
    assert reports[0].message == "the GPU has too little free memory for this run: System is out of GPU memory"
    assert reports[1].outcome == "succeeded"
    assert trial.renderers(0) != trial.renderers(1)


def test_a_stop_ends_a_start_up(trial: Trial) -> None:
    order_device(trial, "hang")
    began = time.monotonic()
    for event in render(trial, build_pool(trial)):
        assert isinstance(event, WorkerPreparing)
        trial.wish.add()

    assert trial.renderers(0) == []
    assert time.monotonic() - began < STARTUP_SECONDS


def test_an_engine_may_need_no_device() -> None:
    assert load_preparation("synth_renderer.engine:render") is not None
    assert load_preparation("json:dumps") is None
