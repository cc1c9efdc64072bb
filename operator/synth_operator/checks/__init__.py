"""Checks of sweeps and recipes in processes of their own, so that an expensive one stops nothing but itself."""
