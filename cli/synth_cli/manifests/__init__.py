"""Custom resources written by `synth manifest`, and their check."""
