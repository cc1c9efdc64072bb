"""Sweeps on a cluster, as `synth` shows and changes them."""
