"""`python -m synth_dataset.jobs.plan|finalize|delete`: the Jobs of a sweep that need no renderer."""
