"""Exit codes of every command and worker, for scripts and Jobs."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """Exit codes (docs/contracts.md, section 6); 64, 75 and 143 follow sysexits.h and the shell's 128 + signal."""

    OK = 0
    RUNS_FAILED = 1
    DIFFERENT = 1
    """Another name of the same code, for `synth verify` and `synth diff`."""
    BAD_INPUT = 2
    NEVER = 64
    BUG = 70
    OUTPUT_LOST = 74
    TRY_AGAIN = 75
    INTERRUPTED = 130
    STOPPED = 143


MEANINGS: Final = {
    ExitCode.OK: "done; in a batch: every run succeeded or is recorded as failed",
    ExitCode.RUNS_FAILED: "some runs failed; `synth verify` has found faults; `synth diff` has found a difference",
    ExitCode.BAD_INPUT: "the input is wrong; nothing was written",
    ExitCode.NEVER: "this sweep can never work: another engine version made the plan, or it cannot be read",
    ExitCode.BUG: "an error that should not happen; the message says where its traceback is",
    ExitCode.OUTPUT_LOST: "done as with 0, but stdout or stderr could not be written (full disk, closed descriptor)",
    ExitCode.TRY_AGAIN: "store, device or cluster unavailable; the same call may work later",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; what was committed stays, the next call continues from there",
    ExitCode.STOPPED: "stopped by SIGTERM; what was committed stays, the next call continues from there",
}
