"""The reason of a failed run, or of a worker that can render no run, by exception."""

from __future__ import annotations

import errno
from typing import Final

from synth_api.reasons import FailureReason, Reason

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def find_reason(error: Exception) -> FailureReason | Reason:
    """Return the reason of an exception: a `Reason` if no run can be rendered here, else a `FailureReason`.

    The exceptions of this project carry theirs as `reason`.
    """
    reason = getattr(error, "reason", None)
    if isinstance(reason, FailureReason | Reason):
        return reason
    if isinstance(error, MemoryError):
        return FailureReason.OUT_OF_MEMORY
    if isinstance(error, OSError):
        return FailureReason.OUT_OF_SPACE if error.errno in _NO_SPACE else FailureReason.FILE_ERROR
    return FailureReason.ENGINE_FAILED
