"""A worker process does not outlive its parent."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
from typing import Final

from synth_api.exit_codes import ExitCode
from synth_dataset.stopper import end_process

_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None)


def terminate_after_parent(parent: int) -> None:
    """Send this process SIGTERM when its parent dies; the kernel ends it 10 seconds later if that has no effect.

    Call it in the main thread. Ends the process if the parent is already dead.
    """
    # A Python handler never runs while native code holds the GIL. The handler of the kernel's signal is therefore
    # libc's alarm(), which takes the number of the signal, 10, for seconds; SIGALRM then ends the process by default.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _libc.signal(int(signal.SIGUSR1), _libc.alarm)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1, signal.SIGALRM})
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGUSR1))
    if os.getppid() != parent:
        end_process(ExitCode.STOPPED)
    threading.Thread(target=_terminate_after_exit, args=(os.pidfd_open(parent),), daemon=True).start()


def kill_with_parent() -> None:
    """Have the kernel send SIGKILL when the parent dies; called when this process is already stopping."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _terminate_after_exit(process: int) -> None:
    select.select([process], [], [])
    os.kill(os.getpid(), signal.SIGTERM)
