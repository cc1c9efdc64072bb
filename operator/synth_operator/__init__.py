"""The Kubernetes operator: watches SynthRecipe and SynthSweep and creates the Jobs of a sweep; it has no store."""
