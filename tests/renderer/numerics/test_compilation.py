"""Notices of compilation: none for a little of it, and a compilation within another counts once."""

from __future__ import annotations

from typing import Final

import pytest
from numba.core import event

from synth_renderer import engine
from synth_renderer.numerics import compilation
from synth_renderer.runtime.process import watch_compilation

COMPILE: Final = "numba:compile"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is announced, on a clock that advances by a second whenever it is asked."""
    clock = iter(range(1000))
    monkeypatch.setattr(compilation.time, "perf_counter", lambda: float(next(clock)))
    announced: list[float] = []
    before = list(event._registered[COMPILE])
    compilation.watch_compilation(announced.append)
    (listener,) = (each for each in event._registered[COMPILE] if each not in before)
    monkeypatch.setattr(compilation, "MIN_SECONDS", 2.0)
    yield announced
    event.unregister(COMPILE, listener)


def compile_kernel(within: int = 0) -> None:
    with event.trigger_event(COMPILE):
        for _ in range(within):
            compile_kernel()


def test_a_little_compilation_is_not_announced_and_the_sum_of_more_is(seconds: list[float]) -> None:
    for _ in range(4):
        compile_kernel()

    assert seconds == [2.0, 3.0]


def test_what_a_compilation_compiles_besides_is_part_of_it(seconds: list[float]) -> None:
    compile_kernel(within=5)
    compile_kernel()
    compile_kernel()

    assert seconds == [2.0]


def test_an_engine_that_compiles_nothing_is_not_watched() -> None:
    watch_compilation("json:loads", pytest.fail)

    assert callable(engine.watch_compilation)
