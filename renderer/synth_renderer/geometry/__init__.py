"""Geometry prototypes: procedural closed triangle meshes and their closed formulas."""
