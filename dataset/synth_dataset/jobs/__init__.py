"""Programs of the Jobs of the small image, `python -m synth_dataset.jobs.plan` and so on; they need no renderer."""
