"""Sweeps: one recipe, axes of overrides, N runs by arithmetic."""

from synth_api.sweep.sweep import Sweep

__all__ = ["Sweep"]
