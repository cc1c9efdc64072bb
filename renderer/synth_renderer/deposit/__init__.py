"""Deposit of particles on a substrate: a height map decides where there is room and how deep a body falls. No bpy."""
