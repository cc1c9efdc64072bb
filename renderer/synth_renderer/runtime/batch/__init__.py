"""`python -m synth_renderer.runtime.batch`: a pod of a render Job works off its batch."""
