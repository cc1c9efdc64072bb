"""Programs of the single-pod Jobs, `python -m synth_dataset.jobs.plan|finalize|delete`; they need no renderer."""
