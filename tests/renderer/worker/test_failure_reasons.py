import errno

import pytest

from synth_api.errors import InputError
from synth_api.sentences import explain
from synth_renderer.runtime.worker import reason_of


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (ValueError("two beads\nin one place"), "EngineFailed", "ValueError: two beads in one place"),
        (ZeroDivisionError(), "EngineFailed", "ZeroDivisionError"),
        (MemoryError(), "OutOfMemory", "MemoryError"),
        (OSError(errno.ENOSPC, "No space left"), "OutOfSpace", "OSError: [Errno 28] No space left"),
        (PermissionError(errno.EACCES, "no"), "FileError", "PermissionError: [Errno 13] no"),
        (InputError("a.b", "is wrong"), "InputFailed", "a.b: is wrong"),
    ],
)
def test_a_failure_is_one_word_and_one_explain(error: Exception, reason: str, text: str) -> None:
    assert (reason_of(error), explain(error)) == (reason, text)
