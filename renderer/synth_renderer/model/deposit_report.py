"""What a manifest says about particles put on a substrate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DepositReport:
    """Outcome of one deposit."""

    layout: str
    coverage: float
    """Share of the picture that the particles cover, each cell of the map counted once."""
    target: float
    """Coverage that was asked for."""
    offered: int
    """Particles there were."""
    placed: int
    """Particles that it took; the others are gone."""
    sphere_overlap: float
    """Deepest overlap of two smooth spheres, as a fraction of the smaller radius."""
    largest_overlap: float
    """Largest share of a body's volume that lies within another one, measured column by column of the map."""
    solver: str = "deposit"
