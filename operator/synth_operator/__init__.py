"""The Kubernetes operator: watches SynthRecipe and SynthSweep, and makes the Jobs of a sweep. It holds no store."""
