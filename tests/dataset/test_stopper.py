"""A process that is to stop ends, whatever its threads do: seen on real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from waiting import SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

PROCESS = """
import os
import sys
import threading
from synth_dataset.stopper import Stopper, StopSignal

def hang(): threading.Event().wait()
def fail(): raise FileNotFoundError("the store is gone")
def write(): os.write(1, b"tidy")

Stopper(StopSignal(), seconds={seconds}, tidy_up=lambda: [step() for step in ({steps},)])
os.write(1, b"ready")
hang()
"""


def start(steps: str, seconds: float, output: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    text = PROCESS.format(steps=steps, seconds=seconds)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=output)
    assert process.stdout is not None
    assert process.stdout.read(5) == b"ready"
    return process


def send_signals(
    process: subprocess.Popen[bytes], signals: Sequence[signal.Signals] = (signal.SIGTERM,)
) -> tuple[int, bytes]:
    """Exit code and what was printed after these signals."""
    with process:
        for number in signals:
            process.send_signal(number)
        assert process.stdout is not None
        return process.wait(timeout=SECONDS), process.stdout.read()


def test_it_is_tidy_before_it_ends() -> None:
    assert send_signals(start("write", seconds=1000)) == (143, b"tidy")


def test_it_ends_though_tidying_up_fails() -> None:
    assert send_signals(start("fail", seconds=1000)) == (143, b"")


def test_it_ends_though_tidying_up_fails_and_the_log_is_full() -> None:
    with open("/dev/full", "wb") as full:
        assert send_signals(start("fail", seconds=1000, output=full.fileno())) == (143, b"")


def test_it_ends_in_time_though_tidying_up_never_ends() -> None:
    assert send_signals(start("hang", seconds=0.01)) == (143, b"")


def test_a_second_signal_ends_it_at_once() -> None:
    with start("write, hang", seconds=1000) as process:
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.read(4) == b"tidy"
        assert send_signals(process) == (143, b"")


@pytest.mark.parametrize("streams", ["sys.stderr.close()", "os.close(2)", "sys.stdout = sys.stderr = None"])
def test_it_ends_though_its_log_is_closed(streams: str) -> None:
    steps = f"lambda: exec({streams!r}), fail"
    assert send_signals(start(steps, seconds=1000)) == (143, b"")
