"""Composition of recipe files and overrides into one tree by Hydra, its limits, and the reading of YAML files."""
