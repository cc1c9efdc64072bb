import os
import select
import signal

from synth_api.exit_codes import ExitCode
from synth_cli.local.interrupts import Interrupts


def is_readable(interrupts: Interrupts) -> bool:
    return bool(select.select([interrupts], [], [], 0)[0])


def test_a_signal_is_counted_and_wakes_a_loop_once() -> None:
    with Interrupts() as interrupts:
        assert (interrupts.count, is_readable(interrupts)) == (0, False)
        os.kill(os.getpid(), signal.SIGINT)
        assert (interrupts.count, is_readable(interrupts)) == (1, True)
        interrupts.drain()
        assert not is_readable(interrupts)
        assert interrupts.exit_code == ExitCode.INTERRUPTED


def test_sigterm_ends_with_143_and_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.exit_code == ExitCode.STOPPED
    assert signal.getsignal(signal.SIGTERM) is before
