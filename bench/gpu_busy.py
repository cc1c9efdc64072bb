"""Share of time in which a GPU works, sampled from the driver while something else runs."""

from __future__ import annotations

import ctypes
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

SECONDS = 0.2


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


@dataclass
class BusySampler:
    """Samples of the first GPU between entry and exit of a `with` block: Unix time and percent."""

    samples: list[tuple[float, int]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def compute_share(self, begin: float, end: float) -> float | None:
        """Return the mean share between two Unix times; None if the driver told none."""
        inside = [percent for at, percent in self.samples if begin <= at <= end]
        return sum(inside) / len(inside) / 100 if inside else None

    def _sample(self) -> None:
        try:
            nvml = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        device, rates = ctypes.c_void_p(), _Utilization()
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)):
            return
        while not self._stop.wait(SECONDS):
            if not nvml.nvmlDeviceGetUtilizationRates(device, ctypes.byref(rates)):
                self.samples.append((time.time(), rates.gpu))
