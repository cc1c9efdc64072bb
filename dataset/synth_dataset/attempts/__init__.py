"""Attempts and the datasets that they commit: surveys, commits, live attempts, garbage collection."""
