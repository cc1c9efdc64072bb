"""Builders of manifests: Jobs of four kinds and the ConfigMap with their input. Pure functions."""
