"""Particles put on a substrate: a map of heights says where there is room and how deep a body falls. No bpy."""
