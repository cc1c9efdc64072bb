"""Physics: spheres fall, collide and come to rest. No bpy."""
