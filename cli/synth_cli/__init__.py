"""The command line `synth`, also as a plugin of kubectl."""
