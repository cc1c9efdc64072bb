"""The custom resources: SynthRecipe, SynthSweep and SynthDataset, group synth-operator.io, version v1alpha1."""
