"""Scores of predictions on a dataset: what `synth score` prints."""
