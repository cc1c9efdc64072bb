"""Errors that end a run, each with its reason. Importing them loads neither Blender nor compiled functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from synth_api.reasons import FailureReason, Reason

if TYPE_CHECKING:
    from pathlib import Path

_DRIVERS: Final = {"optix": "OptiX", "cuda": "CUDA", "hip": "HIP", "oneapi": "oneAPI"}


class RenderError(RuntimeError):
    """A valid recipe that cannot be carried out; the message is one sentence that says why."""

    reason: ClassVar[FailureReason] = FailureReason.RUN_FAILED


class DrawError(RenderError):
    """A variability yields no value."""

    reason = FailureReason.DRAW_FAILED


class ShapeError(RenderError):
    """No body has the shape that its features describe."""

    reason = FailureReason.SHAPE_FAILED


class PhysicsError(RenderError):
    """The bodies cannot be brought to rest."""

    reason = FailureReason.PHYSICS_FAILED


class GpuMemoryError(RenderError):
    """The scene does not fit into the memory that is free on the GPU; `text` is Cycles' message."""

    reason = FailureReason.OUT_OF_GPU_MEMORY

    def __init__(self, text: str) -> None:
        super().__init__(f"the GPU has too little free memory for this run: {text}")
        self.text = text


class DeviceFailedError(RuntimeError):
    """The GPU, its driver or its context failed, so this process can render no run; `text` is Cycles' message."""

    reason: ClassVar[Reason] = Reason.DEVICE_UNAVAILABLE

    def __init__(self, text: str) -> None:
        super().__init__(f"the GPU failed: {text}; the kernel log of its node names the Xid, if it was the hardware")


class OutdatedKernelError(RuntimeError):
    """Cycles would load machine code that was built for another bpy, so this process can render no run on its GPU."""

    reason: ClassVar[Reason] = Reason.DEVICE_UNAVAILABLE

    def __init__(self, file: Path, architecture: str) -> None:
        remedy = f"run synth kernels build --arch {architecture}, or delete the file"
        super().__init__(f"{file} was built for another version of bpy: {remedy}")


class DeviceUnavailableError(RuntimeError):
    """The machine lacks the requested device, so no run can be rendered on it; `found` are the devices that it has."""

    reason: ClassVar[Reason] = Reason.DEVICE_UNAVAILABLE

    def __init__(self, device: str, found: list[str]) -> None:
        drivers = "OptiX, CUDA, HIP or oneAPI" if device == "gpu" else _DRIVERS[device]
        super().__init__(
            f"device {device} is not available here: no driver of {drivers} answers, found: {', '.join(found)}; "
            "install it, or use auto or cpu"
        )
        self.device = device
        self.found = found
