"""The `synth` command."""
