"""Custom resources that `synth manifest` writes, and their validation."""
