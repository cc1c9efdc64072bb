"""The label pass: one geometric pass over the evaluated meshes that yields every ground truth. No bpy."""
