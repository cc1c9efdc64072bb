from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

from synth_renderer.runtime import capacity
from synth_renderer.runtime.cgroups import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 1 << 30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Allowance], None]:
    """A machine of 64 processors and 256 GiB, of which a control group allows so much."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=256 * GIB, available=200 * GIB))
    return lambda allowance: monkeypatch.setattr(capacity, "read_allowance", lambda _: allowance)


@pytest.mark.parametrize(
    ("allowance", "workers"),
    [
        (Allowance(None, None, None), 32),
        (Allowance(1000.0, 1 << 62, 1 << 62), 32),
        (Allowance(8.0, None, None), 4),
        (Allowance(7.9, None, None), 3),
        (Allowance(0.5, None, None), 1),
        (Allowance(None, 8 * GIB, 3 * GIB), 3),
        (Allowance(None, 800 << 20, 700 << 20), 1),
        (Allowance(None, 8 * GIB, 0), 1),
    ],
)
def test_workers_by_default_are_what_machine_and_control_groups_allow(
    machine: Callable[[Allowance], None], allowance: Allowance, workers: int
) -> None:
    machine(allowance)
    assert capacity.compute_default_workers() == workers


@pytest.mark.parametrize(("limit", "bytes_"), [(None, 256 * GIB), (1 << 62, 256 * GIB), (2 * GIB, 2 * GIB)])
def test_memory_is_that_of_the_control_group_or_the_machine(
    machine: Callable[[Allowance], None], limit: int | None, bytes_: int
) -> None:
    machine(Allowance(None, limit, limit))
    assert capacity.read_memory_limit() == bytes_


@pytest.mark.parametrize(
    ("wanted", "runs", "gpu_memory", "workers"),
    [
        (None, 100, None, 1),
        (4, 100, None, 4),
        (4, 2, None, 2),
        (None, 0, None, 1),
        (None, 100, 140 * GIB, 6),
        (None, 100, 16 * GIB, 4),
        (None, 3, 140 * GIB, 3),
        (64, 100, 140 * GIB, 35),
        (8, 100, 10 * GIB, 2),
        (8, 100, 1 * GIB, 1),
    ],
)
def test_a_pod_has_no_more_workers_than_runs_and_than_its_limits_and_gpu_take(
    wanted: int | None,
    runs: int,
    gpu_memory: int | None,
    workers: int,
    machine: Callable[[Allowance], None],
) -> None:
    machine(Allowance(8.0, 12 * GIB, 12 * GIB))

    assert capacity.choose_pod_workers(wanted, runs, gpu_memory) == workers


def test_workers_divide_the_processors(machine: Callable[[Allowance], None]) -> None:
    machine(Allowance(8.0, None, None))

    assert capacity.choose_thread_counts(1) == {}
    assert set(capacity.choose_thread_counts(3).values()) == {"2"}
    assert set(capacity.choose_thread_counts(20).values()) == {"1"}
