"""Recipes, sweeps, run keys, custom resources and their names. Pure: no I/O beyond reading a recipe."""
