"""The custom resources: SynthRecipe and SynthSweep, group synth-operator.io, version v1alpha1."""
