"""Rendering and planning with a dataset folder on this machine."""
