"""Versions of a SynthDataset: exports of several sweeps that are published together and never change."""
