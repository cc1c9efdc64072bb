"""Comparison of two datasets: which runs differ, and which lines of their recipes make the difference."""
