"""Limits of a namespace, and the report of their use that its users may read."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from synth_api.resources.base import Part

REPORT_NAME: Final = "synth-limits"
"""Name of the ConfigMap with the report, in the namespace itself."""
REPORT_KEY: Final = "limits.json"


class NamespaceLimits(Part):
    """Limits of a namespace's sweeps without `queueName`; null: unlimited."""

    sweeps: Annotated[int, Field(ge=0)] | None = None
    """Sweeps at work."""
    pods: Annotated[int, Field(ge=0)] | None = None
    """Pods at once, of all Jobs."""
    gpus: Annotated[int, Field(ge=0)] | None = None
    """GPUs at once: units of extended resources that render pods request."""
    runs_per_sweep: Annotated[int, Field(ge=0)] | None = None
    """Runs of one sweep."""
    gpu_hours_per_day: Annotated[float, Field(ge=0)] | None = None
    """GPU hours of render pods per day, in UTC."""


class LimitsUse(Part):
    """Report of the use of limits: the operator writes it at most once a minute."""

    limits: NamespaceLimits
    """Limits of the namespace."""
    use: dict[str, float]
    """Amount in use, or used today, by the name of its limit."""
    waiting: int
    """Sweeps that wait for a place, pods or GPUs."""
