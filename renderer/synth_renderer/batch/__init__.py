"""`python -m synth_renderer.batch`: a pod of a render Job works off its batch."""
