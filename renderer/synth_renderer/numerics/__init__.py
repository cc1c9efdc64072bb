"""The decorator of the compiled functions; every other folder builds on it."""
