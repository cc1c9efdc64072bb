"""The reason of a failed run depends on the type of the exception."""

import errno

import pytest

from synth_api.errors import InputError
from synth_api.reasons import FailureReason, Reason
from synth_api.sentences import explain
from synth_dataset.documents.document import DocumentError
from synth_dataset.gates.quality_gates import GateError
from synth_dataset.store.base import StoreError
from synth_renderer.model.errors import DeviceUnavailableError, DrawError, PhysicsError, RenderError, ShapeError
from synth_renderer.runtime.failures import find_reason


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (ValueError("two beads\nin one place"), "EngineFailed", "ValueError: two beads in one place"),
        (ZeroDivisionError(), "EngineFailed", "ZeroDivisionError"),
        (MemoryError(), "OutOfMemory", "MemoryError"),
        (OSError(errno.ENOSPC, "No space left"), "OutOfSpace", "OSError: [Errno 28] No space left"),
        (PermissionError(errno.EACCES, "no"), "FileError", "PermissionError: [Errno 13] no"),
        (InputError("a.b", "is wrong"), "InputFailed", "a.b: is wrong"),
        (GateError("is flat"), "GateFailed", "is flat"),
        (DocumentError("is no JSON"), "DocumentFailed", "is no JSON"),
        (RenderError("no room"), "RunFailed", "no room"),
        (DrawError("no value"), "DrawFailed", "no value"),
        (ShapeError("no shape"), "ShapeFailed", "no shape"),
        (PhysicsError("too full"), "PhysicsFailed", "too full"),
    ],
)
def test_an_exception_has_a_failure_reason_and_a_sentence(error: Exception, reason: str, text: str) -> None:
    assert (find_reason(error), explain(error)) == (FailureReason(reason), text)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeviceUnavailableError("gpu", ["cpu"]), Reason.DEVICE_UNAVAILABLE),
        (StoreError(Reason.STORE_FULL, "the bucket is full"), Reason.STORE_FULL),
    ],
)
def test_a_device_or_store_that_cannot_be_used_is_no_failure_of_the_run(error: Exception, reason: Reason) -> None:
    assert find_reason(error) is reason


def test_a_foreign_exception_with_an_attribute_reason_has_no_reason_of_ours() -> None:
    assert find_reason(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "StoreFull")) is FailureReason.ENGINE_FAILED
