"""Sweeps: one recipe, axes of overrides, N runs by arithmetic."""
