"""The recipe language: files, composition, typed models, what goes into a run key."""
