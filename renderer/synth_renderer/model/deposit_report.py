"""Manifest section about a deposit of particles on a substrate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DepositReport:
    """Outcome of one deposit."""

    layout: str
    coverage: float
    """Share of the picture that the particles cover, each cell of the map counted once; of satellites their areas over
    the area of the particles they sit on.
    """
    target: float
    """Requested coverage."""
    offered: int
    """Particles of the step's set."""
    placed: int
    """Particles placed; the others were removed."""
    sphere_overlap: float
    """Deepest overlap of two smooth spheres, as a fraction of the smaller radius."""
    largest_overlap: float
    """Largest share of a body's volume that lies within another one, measured column by column of the map."""
    solver: str = "deposit"
