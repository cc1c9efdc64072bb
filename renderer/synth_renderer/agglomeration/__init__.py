"""Growth of agglomerates: spheres collide and stick. No scene, no bpy."""
