"""Attempts and the datasets that they commit: planning, liveness, garbage collection."""
